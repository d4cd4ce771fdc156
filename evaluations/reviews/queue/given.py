"""What an expert says of an answer, checked against the rubric and the texts. Pure but for reading the item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Literal

from evaluations.judging.grades import on_scale, weighted_mean
from evaluations.models import Choice, RoundItem, RoundShape, RubricVersion
from evaluations.reviews.errors import WrongReview
from evaluations.rubrics.document import Weighted, parsed

MAX_COMMENT = 2_000
MAX_CORRECTION = 100_000
MAX_MARKS = 50
MAX_NOTE = 1_000
MOST_SECONDS = 1_800.0
"""Longer was a break."""

LOWEST, HIGHEST = 1, 5

Side = Literal["first", "second", "tie"]


@dataclass(frozen=True, kw_only=True)
class Given:
    """A review as it is sent: `grades` by criterion, or one `grade`, or the `choice` of a pair as it was shown."""

    grades: Mapping[str, int] = field(default_factory=dict)
    grade: int | None = None
    choice: Side | Literal[""] = ""
    comment: str = ""
    marks: Sequence[Mapping[str, Any]] = ()
    correction: str = ""
    seconds: float | None = None


def checked(given: Given, item: RoundItem) -> dict[str, Any]:
    """The values of the Review. Raises WrongReview. `item` has its round, rubric version and answers."""
    review_round = item.round
    if len(given.comment) > MAX_COMMENT:
        raise WrongReview(
            f"A comment can have up to {MAX_COMMENT} characters. Yours has {len(given.comment)}.",
            code="review:comment_too_long",
            field="comment",
        )
    if len(given.correction) > MAX_CORRECTION:
        raise WrongReview(
            f"A corrected answer can have up to {MAX_CORRECTION:,} characters.",
            code="review:correction_too_long",
            field="correction",
        )
    values: dict[str, Any] = {"grades": {}, "grade": None, "choice": ""}
    if review_round.shape == RoundShape.PAIR:
        values["choice"] = _choice(given, item)
    else:
        values |= _grades(given, review_round.rubric_version)
    seconds = given.seconds
    return values | {
        "rubric_version": review_round.rubric_version,
        "comment": given.comment.strip(),
        "marks": _marks(given.marks, item),
        "correction": given.correction.strip(),
        "seconds": min(max(seconds, 0.0), MOST_SECONDS) if seconds is not None and isfinite(seconds) else None,
    }


def shown_choice(choice: str, item: RoundItem) -> Side | Literal[""]:
    """A stored choice as the expert saw it: first, second or tie; empty if there is none."""
    if choice == Choice.TIE:
        return "tie"
    if not choice:
        return ""
    return "first" if (choice == Choice.CANDIDATE) != item.is_swapped else "second"


def _choice(given: Given, item: RoundItem) -> Choice:
    if given.choice == "tie":
        return Choice.TIE
    if given.choice not in ("first", "second"):
        raise WrongReview("Choose the better answer, or that both are equally good.", field="choice")
    return Choice.CANDIDATE if (given.choice == "first") != item.is_swapped else Choice.OTHER


def _grades(given: Given, rubric: RubricVersion | None) -> dict[str, Any]:
    if rubric is None:
        if given.grade is None or not LOWEST <= given.grade <= HIGHEST:
            raise WrongReview(f"Choose a grade from {LOWEST} to {HIGHEST}.", field="grade")
        return {"grade": float(given.grade)}
    criteria = parsed(rubric.document).criteria
    unknown = given.grades.keys() - {one.criterion.name for one in criteria}
    if unknown:
        raise WrongReview(
            f"“{min(unknown)}” is not graded here. The criteria may have changed: load the answer again.",
            code="review:criteria",
            field="grades",
        )
    found: list[tuple[Weighted, float | None]] = []
    for one in criteria:
        grade = given.grades.get(one.criterion.name)
        if grade is None:
            if one.required:
                raise WrongReview(f"Choose a grade for “{one.criterion.name}”.", field="grades")
            found.append((one, None))
            continue
        try:
            found.append((one, on_scale(grade, one.criterion)))
        except ValueError:
            raise WrongReview(
                f"Choose a grade from {one.criterion.lowest} to {one.criterion.highest} for “{one.criterion.name}”.",
                field="grades",
            ) from None
    mean = weighted_mean(found)
    if mean is None:
        raise WrongReview("Choose at least one grade.", field="grades")
    return {"grades": dict(given.grades), "grade": mean}


def _marks(marks: Sequence[Mapping[str, Any]], item: RoundItem) -> list[dict[str, Any]]:
    if len(marks) > MAX_MARKS:
        raise WrongReview(f"At most {MAX_MARKS} places can be marked.", code="review:marks", field="marks")
    longest = max(len(answer.text) for answer in (item.answer, item.other) if answer is not None)
    found = []
    for mark in marks:
        start, end, note = mark["start"], mark["end"], str(mark.get("note", "")).strip()
        if not 0 <= start < end <= longest:
            raise WrongReview("A mark lies outside the answer.", code="review:marks", field="marks")
        if len(note) > MAX_NOTE:
            raise WrongReview(f"A note can have up to {MAX_NOTE} characters.", code="review:marks", field="marks")
        found.append({"start": start, "end": end, "text": str(mark.get("text", ""))[: end - start], "note": note})
    return found
