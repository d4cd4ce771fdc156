"""Whose turn an item is: reservations that expire by the database's clock.

Whoever changes the turns of an item holds the lock of its row. Candidates are found and locked in one statement and
counted in the next, which sees what others committed in between.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now

from evaluations.models import Assignment, ReviewRound, RoundItem, RoundState, Turn, TurnState
from tenants.models import User

RESERVED_FOR = timedelta(minutes=15)
MOST_AHEAD = 10

MOST_RESERVED = 200
"""How many reserved items are looked at: after a change of the rubric, all that were graded are."""

ATTEMPTS = 10
"""How often to look on where others were faster."""


def live() -> Q:
    """Turns that hold a place of their item."""
    return Q(state=TurnState.GRADED) | Q(state=TurnState.RESERVED, expires_at__gt=Now())


def is_assigned(review_round: ReviewRound, reviewer: User) -> bool:
    return Assignment.objects.filter(round=review_round, reviewer=reviewer).exists()


@transaction.atomic
def reserve(review_round: ReviewRound, reviewer: User, count: int) -> list[UUID]:
    """The ids of at most `count` items that are this reviewer's turn, in order, reserved for 15 minutes from now.

    Always the same ones until they are graded or skipped. First come those reserved before, which are also those to be
    graded again.
    """
    if review_round.state != RoundState.OPEN or not is_assigned(review_round, reviewer):
        return []
    count = min(max(count, 1), MOST_AHEAD)
    # As lists of items, which PostgreSQL reads once: looking up each item took it 20 seconds for 20,000.
    own = Turn.objects.filter(reviewer=reviewer).values("round_item")
    undecided = (
        RoundItem.objects.filter(round=review_round, is_decided=False)
        .alias(taken=_taken(reviewer))
        .filter(taken__lt=review_round.reviewers_per_item)
    )
    reserved = Turn.objects.filter(
        round_item__round=review_round, round_item__is_decided=False, reviewer=reviewer, state=TurnState.RESERVED
    ).order_by("round_item__position")
    mine = undecided.filter(pk__in=list(reserved.values_list("round_item", flat=True)[:MOST_RESERVED]))
    # Waits, so that nobody who looks at them at this moment makes them be missed.
    found = _free(review_round, reviewer, list(_locked(mine, count)))
    for _ in range(ATTEMPTS):
        wanted = count - len(found)
        if not wanted:
            break
        fresh = undecided.exclude(pk__in=own).exclude(pk__in=found)
        locked = list(_locked(fresh, wanted, skip=True))
        found += _free(review_round, reviewer, locked)
        if len(locked) < wanted:
            break
    Turn.objects.bulk_create(
        [
            Turn(
                tenant_id=review_round.tenant_id,
                round_item_id=item_id,
                reviewer=reviewer,
                expires_at=Now() + RESERVED_FOR,
            )
            for item_id in found
        ],
        update_conflicts=True,
        unique_fields=["tenant", "round_item", "reviewer"],
        update_fields=["state", "expires_at"],
    )
    return found


def _locked(items: QuerySet[RoundItem], count: int, *, skip: bool = False) -> QuerySet[RoundItem, UUID]:
    wanted = items.order_by("position").select_for_update(skip_locked=skip, of=("self",))
    return wanted.values_list("pk", flat=True)[:count]


def _taken(reviewer: User) -> Coalesce:
    """How many others hold a place of the item."""
    others = Turn.objects.filter(live(), round_item=OuterRef("pk")).exclude(reviewer=reviewer)
    counted = others.order_by().values("round_item").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted), 0)


def _free(review_round: ReviewRound, reviewer: User, items: Sequence[UUID]) -> list[UUID]:
    """Those of the locked items that still have a place for this reviewer, who has not done them meanwhile."""
    others: Counter[UUID] = Counter()
    own_done = set()
    turns = Turn.objects.filter(live() | Q(reviewer=reviewer), round_item__in=items)
    for item_id, holder, state in turns.values_list("round_item", "reviewer", "state"):
        if holder != reviewer.id:
            others[item_id] += 1
        elif state != TurnState.RESERVED:
            own_done.add(item_id)
    return [item for item in items if others[item] < review_round.reviewers_per_item and item not in own_done]
