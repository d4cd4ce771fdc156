"""What experts decided about the uniform part of a round: the grades that count as evidence."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from evaluations.models import ItemPart, Review, ReviewRound, RoundItem, Turn
from evaluations.reviews.queries import left_out
from lorakit.gates.reviewing import value_of

COLUMNS = (
    "id",
    "is_decided",
    "answer",
    "item__position",
    "item__prompt_sha256",
    "answer__model__sha256",
    "answer__model__name",
)
BLIND = ("round_item", "reviewer", "blind_grade")


@dataclass(frozen=True, kw_only=True)
class Decided:
    """An answer with the experts' verdict on it, 1 to 5. `cluster` is what rows with the same prompt have in common."""

    item: UUID
    answer: UUID
    row: int
    grade: float
    cluster: str
    model: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """In order of position, up to the first item that is not decided. `skipped` are left out: no expert would grade."""

    decided: list[Decided]
    skipped: int


def evidence_of(round_: ReviewRound) -> Evidence:
    """Of a round of single answers: the median of an item's grades, or its adjudication.

    Of an expert who has seen the judge's grade, what they said before.
    """
    given: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    turns = Turn.objects.filter(round_item__round=round_, has_seen_judge=True)
    blind = {(item, reviewer): grade for item, reviewer, grade in turns.values_list(*BLIND)}
    reviews = Review.objects.filter(
        round_item__round=round_, round_item__part=ItemPart.UNIFORM, rubric_version=round_.rubric_version_id
    )
    columns = ("round_item", "reviewer", "grade", "is_adjudication", "has_seen_judge")
    for item, reviewer, grade, is_adjudication, has_seen in reviews.values_list(*columns):
        value = blind[item, reviewer] if has_seen and not is_adjudication else grade
        given[item].append({"value": value, "pair": False, "adjudication": is_adjudication})
    skipped = set(left_out(round_).values_list("id", flat=True))
    items = RoundItem.objects.filter(round=round_, part=ItemPart.UNIFORM).order_by("position")
    found, nobody = [], 0
    for item, is_decided, answer, row, prompt, model, name in items.values_list(*COLUMNS):
        grade = value_of(given[item]) if is_decided else None
        if grade is None:
            if item not in skipped:
                break
            nobody += 1
            continue
        found.append(
            Decided(
                item=item,
                answer=answer,
                row=row,
                grade=grade,
                cluster=prompt or str(answer),
                model=model,
                name=name,
            )
        )
    return Evidence(decided=found, skipped=nobody)
