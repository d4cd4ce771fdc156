"""Which rows may become examples, and which of those do."""

from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from evaluations.agreement.labels import Label
from evaluations.alignment.chosen import MOST, Candidate, candidate, chosen
from evaluations.alignment.halves import in_order, measures
from evaluations.judges.prompts import CORRECT, Criterion
from tests.examples import examples

STEPS = Criterion(name="Steps", description="All steps?", lowest=0, highest=10)


def label(number: int, cluster: str = "") -> Label:
    return Label(grade=3.0, score=4.0, cluster=cluster or f"{number:064x}", answer=UUID(int=number))


def made(number: int, grade: float, score: float, criterion: Criterion = CORRECT, cluster: str = "") -> Candidate:
    found = candidate(criterion, answer=UUID(int=number), cluster=cluster or f"{number:064x}", grade=grade, score=score)
    assert found is not None
    return found


def test_the_halves_are_fixed_and_about_equal() -> None:
    clusters = [f"{number:064x}" for number in range(2_000)]
    assert 900 < sum(map(measures, clusters)) < 1_100
    # Nobody draws again: these hold for ever, whatever else has been graded.
    assert [measures(one) for one in clusters[:8]] == [False, False, True, False, True, True, False, False]


def test_the_order_is_fixed_and_has_nothing_to_do_with_that_of_reviews() -> None:
    labels = [label(number) for number in range(50)]
    assert in_order(labels) == in_order(labels[::-1])
    assert in_order(labels) != labels


def test_agreement_is_no_example() -> None:
    assert candidate(CORRECT, answer=UUID(int=1), cluster="a", grade=4.0, score=3.2) is None
    found = made(1, 3.5, 5.0)
    assert (found.grade, found.apart) == (4, 0.25)
    # On a wider scale it takes more steps.
    assert candidate(STEPS, answer=UUID(int=1), cluster="a", grade=8, score=10) is None
    assert made(1, 7, 10, STEPS).apart == 0.3


def test_examples_are_spread_over_grades_farthest_first() -> None:
    many = [made(number, 1, 5) for number in range(10)]
    few = [made(20, 2, 5), made(21, 4, 2), made(22, 5, 3.5)]
    found = chosen([*many, *few])
    assert [one.grade for one in found] == [1, 1, 2, 4, 5]
    assert len(chosen([*many, *few], most=2)) == 2
    assert [one.grade for one in chosen([*many, *few], most=2)] == [1, 2]


def test_each_criterion_has_its_own_and_no_prompt_twice() -> None:
    found = chosen([made(1, 1, 5, cluster="a"), made(2, 2, 5, cluster="a"), made(1, 0, 10, STEPS, cluster="a")])
    assert [(one.criterion, one.grade) for one in found] == [("Correctness", 1), ("Steps", 0)]


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 5), st.floats(1, 5)), max_size=60), st.randoms())
def test_the_choice_is_bounded_and_does_not_depend_on_order(rows: list[tuple[int, int, float]], random: object) -> None:
    found = [
        one
        for number, (cluster, grade, score) in enumerate(rows)
        if (one := candidate(CORRECT, answer=UUID(int=number), cluster=f"{cluster:064x}", grade=grade, score=score))
    ]
    first = chosen(found)
    assert len(first) <= MOST
    assert len({one.cluster for one in first}) == len(first)
    assert chosen(found[::-1]) == first
    if found:
        assert max(one.apart for one in found) == max(one.apart for one in first)
