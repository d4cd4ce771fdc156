"""A reviewer's grade as a browser without JavaScript posts it."""

from collections.abc import Mapping

from django.http import QueryDict

from evaluations.reviews.queue.given import Given, Side

GRADES = (
    (1, "Wrong"),
    (2, "Poor"),
    (3, "Needs changes"),
    (4, "Good"),
    (5, "Just right"),
)


def given_by(posted: QueryDict, fields: Mapping[str, str]) -> Given:
    """The review in a form whose `fields` are {name: criterion}. What does not fit is for the service to refuse."""
    grades = {criterion: _number(posted.get(name, "")) for name, criterion in fields.items()}
    sides: dict[str, Side] = {"first": "first", "second": "second", "tie": "tie"}
    return Given(
        grades={criterion: grade for criterion, grade in grades.items() if grade is not None},
        grade=_number(posted.get("grade", "")),
        choice=sides.get(posted.get("choice", ""), ""),
        comment=posted.get("comment", ""),
        correction=posted.get("correction", ""),
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else None
