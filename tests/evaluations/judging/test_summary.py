"""Means with intervals, wins and losses, and INCOMPLETE below 95% with the reason."""

from collections.abc import Iterable, Iterator

import pytest

from evaluations.judging.plan import Plan
from evaluations.judging.queries import Known
from evaluations.judging.results import RowResult, Said, row_result
from evaluations.judging.summary import Summary, summarise
from lorakit.stats import cluster_interval, ends_interval
from tests.evaluations.judging.case import one_criterion, row

PLAN = Plan(rubric=one_criterion())
PAIRED = Plan(rubric=one_criterion(), pairs=(("v1", "base"),))


def graded(values: Iterable[float | str], *, prompts: int = 0) -> Iterator[RowResult]:
    """Rows whose answer got a score, or an error; `prompts` lets that many different prompts repeat."""
    for number, value in enumerate(values):
        known = Known(error=value) if isinstance(value, str) else Known(score=value)
        said: dict[str, Said] = {"judge": {("Correctness", ("v1",)): known} if value != "" else {}}
        yield row_result(PLAN, row(number % prompts if prompts else number, {"v1": f"a {number}"}), said)


def compared(outcomes: Iterable[tuple[str, str]], answers: dict[str, str] | None = None) -> Iterator[RowResult]:
    for number, (forward, backward) in enumerate(outcomes):
        said: Said = {
            ("Correctness", ("v1", "base")): Known(choice=forward, score=0.5),
            ("Correctness", ("base", "v1")): Known(choice=backward, score=0.5),
            ("Correctness", ("v1",)): Known(score=3.0),
            ("Correctness", ("base",)): Known(score=3.0),
        }
        texts = answers or {"base": "no", "v1": "yes"}
        yield row_result(PAIRED, row(number, texts), {"judge": said})


def summary(values: Iterable[float | str], **options: int) -> Summary:
    return summarise(PLAN, graded(values, **options))


def test_a_mean_has_the_interval_of_its_kind() -> None:
    values = [5.0, 4.0, 5.0, 2.0, 5.0, 3.0]
    (model,) = summary(values).models
    expected = ends_interval(values, low=1, high=5)
    assert [model.mean, model.low, model.high] == pytest.approx([4, expected.interval().low, expected.interval().high])
    (repeated,) = summary(values, prompts=3).models
    clusters = cluster_interval([7.0, 9.0, 8.0], [2, 2, 2], low=1, high=5).interval()
    assert [repeated.mean, repeated.low, repeated.high] == pytest.approx([4, clusters.low, clusters.high])


def test_one_grade_has_no_interval() -> None:
    (model,) = summary([4.0]).models
    assert (model.mean, model.low, model.high) == (4.0, None, None)


def test_from_95_percent_on_it_is_complete() -> None:
    found = summary([4.0] * 95 + ["refused"] * 5)
    assert (found.complete, found.why) == (True, "")
    (model,) = found.models
    assert (model.mean, model.judged, model.rows, model.missing) == (4.0, 95, 100, {"refused": 5})


def test_below_95_percent_it_is_incomplete_and_says_why() -> None:
    values: list[float | str] = [4.0] * 940 + ["refused"] * 50 + [""] * 10
    found = summarise(PLAN, graded(values), names={"v1": "Clauses v1"}, left={"timeout": 7, "throttled": 3})
    assert not found.complete
    assert found.why == (
        "INCOMPLETE: of the answers of Clauses v1, 940 of 1,000 (94%) are judged; at least 95% are needed. "
        "Missing verdicts: 50 declined by the model or a filter; 10 not given so far "
        "(last attempt: 7 time-outs, 3 requests over the limit)."
    )


def test_nearly_enough_is_not_rounded_up() -> None:
    assert "(94.9%)" in summary([4.0] * 9_499 + [""] * 501).why


def test_nothing_judged_is_no_mean() -> None:
    found = summary(["refused"] * 3)
    (model,) = found.models
    assert (model.mean, model.low, model.judged, found.complete) == (None, None, 0, False)
    assert summarise(PLAN, []).why == "INCOMPLETE: there is nothing to judge."


def test_wins_ties_losses_and_flips() -> None:
    outcomes = [("first", "second")] * 24 + [("second", "first")] * 4 + [("tie", "tie")] * 8 + [("first", "first")] * 4
    (pair,) = summarise(PAIRED, compared(outcomes)).pairs
    assert (pair.wins, pair.ties, pair.losses, pair.judged) == (24, 12, 4, 40)
    assert [pair.win_rate, pair.flip_rate] == pytest.approx([0.75, 0.1])
    estimate = ends_interval([1.0] * 24 + [0.0] * 12 + [-1.0] * 4, low=-1, high=1)
    assert pair.low == pytest.approx((estimate.interval().low + 1) / 2)
    assert pair.p_value == pytest.approx(estimate.p_value())
    assert pair.verdict == "better"


@pytest.mark.parametrize(
    ("wins", "losses", "verdict"), [(30, 0, "better"), (0, 30, "worse"), (16, 14, "unclear"), (12, 0, "too few")]
)
def test_a_pair_is_better_only_where_the_interval_says_so(wins: int, losses: int, verdict: str) -> None:
    outcomes = [("first", "second")] * wins + [("second", "first")] * losses
    (pair,) = summarise(PAIRED, compared(outcomes)).pairs
    assert pair.verdict == verdict


def test_a_missing_order_is_no_outcome_and_counts_as_missing() -> None:
    found = summarise(PAIRED, compared([("first", "second")] * 9 + [("first", "")]))
    (pair,) = found.pairs
    assert (pair.wins, pair.ties, pair.judged, pair.rows) == (9, 0, 9, 10)
    assert "the comparisons of v1 with base, 9 of 10 (90%) are judged" in found.why


def test_the_same_answer_is_a_tie_without_a_verdict() -> None:
    (pair,) = summarise(PAIRED, compared([("", "")] * 3, {"base": "same", "v1": "same"})).pairs
    assert (pair.ties, pair.judged, pair.flip_rate) == (3, 3, 0.0)


def test_the_win_rate_is_shown_by_length() -> None:
    found = [
        *compared([("first", "second")] * 6, {"base": "no", "v1": "a much longer yes"}),
        *compared([("second", "first")] * 3 + [("tie", "tie")], {"base": "a much longer no", "v1": "yes"}),
    ]
    (pair,) = summarise(PAIRED, found).pairs
    assert [(bucket.length, bucket.judged, bucket.win_rate) for bucket in pair.by_length] == [
        ("shorter", 4, pytest.approx(0.125)), ("alike", 0, None), ("longer", 6, 1.0),
    ]  # fmt: skip
