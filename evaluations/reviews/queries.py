"""Reads of review rounds: progress, the time left, disagreements, skips."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from math import ceil
from statistics import median
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet

from evaluations.models import (
    Assignment,
    Choice,
    Review,
    ReviewRound,
    RoundItem,
    RoundState,
    Turn,
    TurnState,
)
from tenants.models import User

TIMED = 50
"""The last grades from which the time left is told."""

FEWEST_TIMED = 3
DISAGREEMENT = 2.0
"""So many grades apart, experts disagree."""

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
        "run__version__adapter",
        "run__base_model",
        "run__dataset_version__dataset",
        "rubric_version__rubric",
        "candidate",
        "against",
    )
    return found.defer("run__version__manifest", "run__dataset_version__problems", "run__dataset_version__profile")


def rounds_for(person: User, *, manages: bool) -> QuerySet[ReviewRound]:
    """All rounds for those who manage them, else those in which a person grades."""
    if manages:
        return rounds()
    own = Assignment.objects.filter(round=OuterRef("pk"), reviewer=person)
    return rounds().filter(Exists(own))


TURNS = {
    "done": Count("pk", filter=Q(state=TurnState.GRADED)),
    "skipped": Count("pk", filter=Q(state=TurnState.SKIPPED)),
    "over": Count("pk", filter=~Q(state=TurnState.RESERVED) & Q(round_item__is_decided=False)),
}
"""What is counted of a reviewer's turns; `over` are undecided items that are no longer theirs to grade."""


def progress_of(review_round: ReviewRound, reviewer: User) -> Progress:
    """How far one reviewer is."""
    counts = Turn.objects.filter(round_item__round=review_round, reviewer=reviewer).aggregate(**TURNS)
    left = 0
    if review_round.state == RoundState.OPEN:
        # Two counts: whether each item lacks a turn took PostgreSQL a minute for 20,000 items.
        left = RoundItem.objects.filter(round=review_round, is_decided=False).count()
    return _progress(counts, left, median_seconds(reviewer))


def _progress(counts: Mapping[str, Any], undecided: int, seconds: float | None) -> Progress:
    """From what TURNS count, and how many items of an open round are undecided."""
    left = undecided - counts.get("over", 0) if undecided else 0
    return Progress(done=counts.get("done", 0), skipped=counts.get("skipped", 0), left=left, seconds=seconds)


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
    """The reviewers of a round by name. One query more for each of them, which reads their own last times."""
    people = Assignment.objects.filter(round=review_round).select_related("reviewer")
    decided, total = decided_count(review_round)
    left = total - decided if review_round.state == RoundState.OPEN else 0
    turns = Turn.objects.filter(round_item__round=review_round).order_by().values("reviewer")
    counts = {one["reviewer"]: one for one in turns.annotate(**TURNS)}
    return [
        Assigned(
            reviewer=one.reviewer,
            due_on=one.due_on,
            progress=_progress(counts.get(one.reviewer_id, {}), left, median_seconds(one.reviewer)),
        )
        for one in people.order_by("reviewer__name", "reviewer__email")
    ]


def decided_count(review_round: ReviewRound) -> tuple[int, int]:
    """(decided items, all items)."""
    counts = RoundItem.objects.filter(round=review_round).aggregate(
        decided=Count("pk", filter=Q(is_decided=True)), total=Count("pk")
    )
    return counts["decided"], counts["total"]


def left_out(review_round: ReviewRound) -> QuerySet[RoundItem]:
    """Items without a verdict of which nobody is left to grade them, for some skipped: no evidence waits for them."""
    people = Assignment.objects.filter(round=review_round)
    skips = (
        Turn.objects.filter(round_item__round=review_round, reviewer__in=people.values("reviewer"))
        .exclude(state=TurnState.RESERVED)
        .values("round_item")
        .annotate(over=Count("pk"), skipped=Count("pk", filter=Q(state=TurnState.SKIPPED)))
        .filter(over__gte=people.count(), skipped__gte=1)
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


def disputes(review_round: ReviewRound, *, limit: int | None = None, after: int = 0) -> list[Dispute]:
    """Items to settle beyond position `after`, in order, at most `limit`.

    Experts are two grades apart, or prefer different answers of a pair; reviews by an older rubric do not count.
    """
    given = Review.objects.filter(round_item__round=review_round, rubric_version=review_round.rubric_version_id)
    settled = given.filter(round_item=OuterRef("round_item"), is_adjudication=True)
    spread = (
        given.filter(~Exists(settled), round_item__position__gt=after)
        .order_by()
        .values("round_item")
        .annotate(
            lowest=Min("grade"),
            highest=Max("grade"),
            sides=Count("choice", filter=~Q(choice__in=("", Choice.TIE)), distinct=True),
        )
    )
    wanted = spread.filter(Q(sides=2) | Q(highest__gte=F("lowest") + DISAGREEMENT)).values("round_item")
    found = RoundItem.objects.filter(pk__in=wanted).order_by("position")
    items = list(found.select_related("item", "answer__model", "other__model", "round")[:limit])
    by_item = _by_item(given.filter(round_item__in=items).select_related("reviewer"))
    return [Dispute(item=item, reviews=by_item[item.id]) for item in items]


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


def evidence_stamp(found: Sequence[ReviewRound]) -> str:
    """Another one after every review that is given, changed or taken back, every skip, and every change of a round.

    For keys of what is worked out from the reviews of these rounds.
    """
    reviews = Review.objects.filter(round_item__round__in=found).aggregate(count=Count("pk"), newest=Max("updated_at"))
    decided = RoundItem.objects.filter(round__in=found, is_decided=True).count()
    skipped = Turn.objects.filter(round_item__round__in=found, state=TurnState.SKIPPED).count()
    people = Assignment.objects.filter(round__in=found).count()
    rubrics = [(one.pk, one.rubric_version_id) for one in found]
    return sha256(repr((*reviews.values(), decided, skipped, people, rubrics)).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a round takes of experts' time: so many `grades`, `seconds` each, `minutes` in all."""

    grades: int
    seconds: float

    @property
    def minutes(self) -> int:
        return ceil(self.grades * self.seconds / 60)


def estimated_cost(grades: int) -> Cost:
    """At the pace of the organisation's experts so far."""
    return Cost(grades=grades, seconds=median_seconds() or USUAL_SECONDS)


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
    turns = Turn.objects.filter(round_item__round__in=found, reviewer=reviewer).order_by().values("round_item__round")
    mine = {one["round_item__round"]: one for one in turns.annotate(**TURNS)}
    seconds = median_seconds(reviewer)
    result = []
    for one in found:
        decided, total = counts.get(one.id, (0, 0))
        left = total - decided if one.state == RoundState.OPEN else 0
        if one.id in own:
            progress = _progress(mine.get(one.id, {}), left, seconds)
        else:
            progress = Progress(done=decided, skipped=0, left=left, seconds=None)
        result.append(
            Listed(round=one, progress=progress, due_on=own.get(one.id) or one.due_on, is_assigned=one.id in own)
        )
    return result
