"""Reads of review rounds: progress, the time left, disagreements, skips."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil
from statistics import median
from uuid import UUID

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet

from evaluations.models import (
    Assignment,
    Review,
    ReviewRound,
    RoundItem,
    RoundShape,
    RoundState,
    Turn,
    TurnState,
)
from evaluations.reviews.verdicts import DISAGREEMENT, current, is_disputed
from tenants.models import User

TIMED = 50
"""The last grades from which the time left is told."""

FEWEST_TIMED = 3
USUAL_SECONDS = 40.0
"""What an answer takes before anybody has graded one."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One reviewer in one round: `done` graded, `skipped`, and `left` for them to grade.

    `left` falls too as others grade. `seconds` is their own median for an answer, None before they have graded three.
    """

    done: int
    skipped: int
    left: int
    seconds: float | None

    @property
    def total(self) -> int:
        return self.done + self.left

    @property
    def minutes_left(self) -> int | None:
        return None if self.seconds is None else ceil(self.left * self.seconds / 60)


def rounds() -> QuerySet[ReviewRound]:
    """Rounds, newest first, with what lists show."""
    found: QuerySet[ReviewRound] = ReviewRound.objects.select_related(
        "run__version__adapter", "run__dataset_version__dataset", "rubric_version__rubric", "candidate", "against"
    )
    return found.defer("run__version__manifest", "run__dataset_version__problems", "run__dataset_version__profile")


def rounds_for(person: User, *, manages: bool) -> QuerySet[ReviewRound]:
    """All rounds for those who manage them, else those in which a person grades."""
    if manages:
        return rounds()
    own = Assignment.objects.filter(round=OuterRef("pk"), reviewer=person)
    return rounds().filter(Exists(own))


def progress_of(review_round: ReviewRound, reviewer: User) -> Progress:
    """How far one reviewer is."""
    turns = Turn.objects.filter(round_item__round=review_round, reviewer=reviewer)
    counts = turns.aggregate(
        done=Count("pk", filter=Q(state=TurnState.GRADED)), skipped=Count("pk", filter=Q(state=TurnState.SKIPPED))
    )
    over = Turn.objects.filter(round_item=OuterRef("pk"), reviewer=reviewer).exclude(state=TurnState.RESERVED)
    left = 0
    if review_round.state == RoundState.OPEN:
        left = RoundItem.objects.filter(~Exists(over), round=review_round, is_decided=False).count()
    return Progress(done=counts["done"], skipped=counts["skipped"], left=left, seconds=median_seconds(reviewer))


def median_seconds(reviewer: User | None = None) -> float | None:
    """What an answer takes a reviewer, or all of them: the median of the last ones. None for fewer than three."""
    timed = Review.objects.exclude(seconds=None).filter(is_adjudication=False)
    if reviewer is not None:
        timed = timed.filter(reviewer=reviewer)
    latest = timed.order_by("-updated_at").values_list("seconds", flat=True)[:TIMED]
    seconds = [one for one in latest if one is not None]
    return median(seconds) if len(seconds) >= FEWEST_TIMED else None


@dataclass(frozen=True, kw_only=True)
class Assigned:
    """A reviewer of a round, with progress."""

    reviewer: User
    due_on: date | None
    progress: Progress


def assigned(review_round: ReviewRound) -> list[Assigned]:
    """The reviewers of a round by name."""
    people = Assignment.objects.filter(round=review_round).select_related("reviewer")
    return [
        Assigned(reviewer=one.reviewer, due_on=one.due_on, progress=progress_of(review_round, one.reviewer))
        for one in people.order_by("reviewer__name", "reviewer__email")
    ]


def decided_count(review_round: ReviewRound) -> tuple[int, int]:
    """(decided items, all items)."""
    counts = RoundItem.objects.filter(round=review_round).aggregate(
        decided=Count("pk", filter=Q(is_decided=True)), total=Count("pk")
    )
    return counts["decided"], counts["total"]


def left_out(review_round: ReviewRound) -> QuerySet[RoundItem]:
    """Items without a verdict that every assigned reviewer skipped: no evidence waits for them."""
    people = Assignment.objects.filter(round=review_round).count()
    skips = (
        Turn.objects.filter(round_item__round=review_round, state=TurnState.SKIPPED)
        .filter(reviewer__in=Assignment.objects.filter(round=review_round).values("reviewer"))
        .values("round_item")
        .annotate(count=Count("pk"))
        .filter(count__gte=max(people, 1))
    )
    found: QuerySet[RoundItem] = RoundItem.objects.filter(
        round=review_round, is_decided=False, pk__in=skips.values("round_item")
    )
    return found


@dataclass(frozen=True, kw_only=True)
class Dispute:
    """An item on which experts disagree, with what each said."""

    item: RoundItem
    reviews: list[Review]


def disputes(review_round: ReviewRound) -> list[Dispute]:
    """Items to settle, in order."""
    given = Review.objects.filter(round_item__round=review_round, rubric_version=review_round.rubric_version_id)
    settled = Review.objects.filter(round_item=OuterRef("round_item"), is_adjudication=True)
    spread = (
        given.filter(~Exists(settled))
        .order_by()
        .values("round_item")
        .annotate(lowest=Min("grade"), highest=Max("grade"), first=Min("choice"), last=Max("choice"))
    )
    if review_round.shape == RoundShape.PAIR:
        # A tie beside a preference is no dispute; `is_disputed` tells.
        wanted = spread.exclude(first=F("last"))
    else:
        wanted = spread.filter(highest__gte=F("lowest") + DISAGREEMENT)
    ids = list(wanted.values_list("round_item", flat=True))
    by_item = _by_item(given.filter(round_item__in=ids).select_related("reviewer"))
    items = RoundItem.objects.filter(pk__in=ids).select_related("item", "answer__model", "other__model", "round")
    return [
        Dispute(item=item, reviews=by_item[item.id])
        for item in items
        if is_disputed(current(by_item[item.id], review_round.rubric_version_id))
    ]


def skips(review_round: ReviewRound) -> QuerySet[Turn]:
    """Turns that were passed on, with their reasons."""
    found: QuerySet[Turn] = Turn.objects.filter(round_item__round=review_round, state=TurnState.SKIPPED)
    return found.select_related("reviewer", "round_item__item").order_by("round_item__position")


def _by_item(reviews: QuerySet[Review]) -> dict[UUID, list[Review]]:
    found: dict[UUID, list[Review]] = defaultdict(list)
    for review in reviews.order_by("created_at"):
        found[review.round_item_id].append(review)
    return found


def open_reviews() -> int:
    """How many answers of open rounds wait for an expert."""
    return RoundItem.objects.filter(round__state=RoundState.OPEN, is_decided=False).count()


def estimated_minutes(answers: int, reviewers_per_item: int) -> int:
    """What a round will take of experts' time in all."""
    return ceil(answers * reviewers_per_item * (median_seconds() or USUAL_SECONDS) / 60)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A round in a list, with one reviewer's progress and due date."""

    round: ReviewRound
    progress: Progress
    due_on: date | None
    is_assigned: bool


def listed(found: Sequence[ReviewRound], reviewer: User) -> list[Listed]:
    """The rounds with one reviewer's progress; where they do not grade, that of all."""
    own = dict(Assignment.objects.filter(round__in=found, reviewer=reviewer).values_list("round", "due_on"))
    counts = {
        round_id: (decided, total)
        for round_id, decided, total in RoundItem.objects.filter(round__in=found)
        .order_by()
        .values_list("round")
        .annotate(decided=Count("pk", filter=Q(is_decided=True)), total=Count("pk"))
    }
    result = []
    for one in found:
        if one.id in own:
            progress = progress_of(one, reviewer)
        else:
            decided, total = counts.get(one.id, (0, 0))
            progress = Progress(done=decided, skipped=0, left=total - decided, seconds=None)
        result.append(
            Listed(round=one, progress=progress, due_on=own.get(one.id) or one.due_on, is_assigned=one.id in own)
        )
    return result
