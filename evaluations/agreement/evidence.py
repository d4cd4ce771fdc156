"""What experts decided about the uniform part of a round: the grades that count as evidence."""

from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from uuid import UUID

from evaluations.models import Assignment, ItemPart, Review, ReviewRound, RoundItem, Turn, TurnState


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
    """Of a round of single answers: the median of an item's grades, or its adjudication."""
    uniform = {"round_item__round": round_, "round_item__part": ItemPart.UNIFORM}
    grades: dict[UUID, list[float]] = defaultdict(list)
    settled: dict[UUID, float] = {}
    reviews = Review.objects.filter(**uniform, grade__isnull=False)
    for item, grade, is_adjudication in reviews.values_list("round_item", "grade", "is_adjudication"):
        if grade is None:
            continue
        if is_adjudication:
            settled[item] = grade
        else:
            grades[item].append(grade)
    skipped = _skipped_by_all(round_)
    items = RoundItem.objects.filter(round=round_, part=ItemPart.UNIFORM).order_by("position")
    columns = ("id", "answer", "item__position", "item__prompt_sha256", "answer__model__sha256", "answer__model__name")
    found, left_out = [], 0
    for item, answer, row, prompt, model, name in items.values_list(*columns):
        if item in settled:
            grade = settled[item]
        elif len(grades[item]) >= round_.reviewers_per_item:
            grade = median(grades[item])
        elif item in skipped and not grades[item]:
            left_out += 1
            continue
        else:
            break
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
    return Evidence(decided=found, skipped=left_out)


def _skipped_by_all(round_: ReviewRound) -> set[UUID]:
    """Items that every expert of the round skipped."""
    experts = set(Assignment.objects.filter(round=round_).values_list("reviewer", flat=True))
    by_item: dict[UUID, set[object]] = defaultdict(set)
    skips = Turn.objects.filter(
        round_item__round=round_, round_item__part=ItemPart.UNIFORM, state=TurnState.SKIPPED
    ).values_list("round_item", "reviewer")
    for item, reviewer in skips:
        by_item[item].add(reviewer)
    return {item for item, by in by_item.items() if experts and by >= experts}
