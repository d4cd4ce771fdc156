"""What experts decided about an item, and where they disagree. Pure.

Reviews by an older version of the round's rubric count for nothing until they are given anew.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from uuid import UUID

from evaluations.models import Choice, Review

DISAGREEMENT = 2.0
"""So many grades apart, experts disagree."""


@dataclass(frozen=True, kw_only=True)
class ItemVerdict:
    """`grade` from 1 to 5, or the `choice` of a pair; `experts` is the number of reviews behind it."""

    grade: float | None
    choice: str
    experts: int
    is_adjudicated: bool


def current(reviews: Iterable[Review], rubric_version: UUID | None) -> list[Review]:
    """Those given by the round's own version of the rubric."""
    return [review for review in reviews if review.rubric_version_id == rubric_version]


def item_verdict(reviews: Sequence[Review]) -> ItemVerdict | None:
    """The adjudication if there is one, else the median of the grades; of a pair the majority, a tie where none is.

    None without reviews. `reviews` are the `current` ones of one item.
    """
    settled = next((review for review in reviews if review.is_adjudication), None)
    given = [review for review in reviews if not review.is_adjudication]
    if settled is not None:
        return ItemVerdict(grade=settled.grade, choice=settled.choice, experts=len(given), is_adjudicated=True)
    if not given:
        return None
    grades = [review.grade for review in given if review.grade is not None]
    return ItemVerdict(
        grade=median(grades) if grades else None,
        choice="" if grades else _majority([review.choice for review in given]),
        experts=len(given),
        is_adjudicated=False,
    )


def is_disputed(reviews: Sequence[Review]) -> bool:
    """Whether experts are two grades apart, or prefer different answers of a pair, and nobody has settled it."""
    if any(review.is_adjudication for review in reviews):
        return False
    grades = [review.grade for review in reviews if review.grade is not None]
    if grades:
        return max(grades) - min(grades) >= DISAGREEMENT
    return {Choice.CANDIDATE, Choice.OTHER} <= {review.choice for review in reviews}


def _majority(choices: Sequence[str]) -> str:
    (first, count), *_ = Counter(choices).most_common(1)
    return first if 2 * count > len(choices) else Choice.TIE
