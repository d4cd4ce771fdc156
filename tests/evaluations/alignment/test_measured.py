"""Before against after, by prompt, and what is said about it."""

from dataclasses import replace

import pytest

from evaluations.alignment.measured import Figures, Pair, figures_of
from evaluations.alignment.words import sentence


def pairs(count: int, *, before: float, after: float, grade: float = 3.0) -> list[Pair]:
    return [Pair(cluster=str(number), grade=grade, before=before, after=after) for number in range(count)]


def test_a_new_version_that_is_nearer() -> None:
    found = figures_of(pairs(40, before=5.0, after=3.5), asked=40)
    assert found.verdict == "better"
    assert found.before is not None
    assert found.after is not None
    assert found.nearer is not None
    assert (found.before.distance.mean, found.after.distance.mean, found.nearer.mean) == (2.0, 0.5, 1.5)
    assert (found.before.bias.mean, found.after.bias.mean) == (2.0, 0.5)
    assert 1.0 < found.nearer.low < found.nearer.high <= 2.0
    text = sentence(found)
    assert text.startswith("It helped: on 40 answers that are not among its examples")
    assert Figures.from_dict(found.to_dict()) == found


def test_harm_and_doubt_are_said_as_such() -> None:
    worse = figures_of(pairs(40, before=3.0, after=5.0), asked=40)
    assert worse.verdict == "worse"
    assert sentence(worse).startswith("It did harm")
    same = figures_of(pairs(40, before=4.0, after=4.0), asked=40)
    assert same.verdict == "unclear"
    assert "cannot be said whether it helped" in sentence(same)


@pytest.mark.parametrize(
    ("count", "asked"), [(0, 30), (1, 30), (19, 19), (40, 45)], ids=["none", "one", "few prompts", "many missing"]
)
def test_too_little_concludes_nothing(count: int, asked: int) -> None:
    found = figures_of(pairs(count, before=5.0, after=3.0), asked=asked)
    assert found.verdict == "incomplete"
    assert sentence(found).startswith("Cannot say")
    assert Figures.from_dict(found.to_dict()) == found


def test_rows_of_one_prompt_count_as_one() -> None:
    repeated = [
        Pair(cluster=str(number // 10), grade=3.0, before=5.0, after=3.0 + number // 10 % 3) for number in range(200)
    ]
    found = figures_of(repeated, asked=200)
    apart = figures_of([replace(one, cluster=str(number)) for number, one in enumerate(repeated)], asked=200)
    assert found.nearer is not None
    assert apart.nearer is not None
    assert found.nearer.high - found.nearer.low > 2 * (apart.nearer.high - apart.nearer.low)
