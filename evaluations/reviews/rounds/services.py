"""Every write to review rounds: start, change, close."""

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, Max, OuterRef
from django.db.models.functions import Now
from django.utils import timezone

from evaluations.judging import news
from evaluations.models import (
    Answer,
    Assignment,
    EvaluatedModel,
    EvaluationRun,
    EvaluationState,
    Review,
    ReviewRound,
    RoundItem,
    RoundShape,
    RoundState,
    RubricVersion,
    Turn,
    TurnState,
)
from evaluations.reviews.errors import RoundClosed
from evaluations.reviews.rounds.draw import Drawn, Shares, draw
from evaluations.reviews.rounds.rows import errors_of, rows_of
from lorakit.stats.sampling import random_keys
from rest.errors import Conflict, PortalError
from tenants.audit.services import record_event
from tenants.models import Membership, Tenant, User

USUAL_LABELS = 60
MOST_LABELS = 20_000
MOST_REVIEWERS = 9
"""How many experts may grade the same answer."""

BATCH = 2_000


@dataclass(frozen=True, kw_only=True)
class Design:
    """What a round takes: `labels` rows, by `shares`; whose answers, and how experts see them."""

    labels: int = USUAL_LABELS
    shares: Shares = field(default_factory=Shares)
    candidate: EvaluatedModel | None = None
    """By default the model that the evaluation is about."""
    against: EvaluatedModel | None = None
    shape: RoundShape = RoundShape.SINGLE
    reviewers_per_item: int = 1
    rubric_version: RubricVersion | None = None
    shows_judge: bool = False


@transaction.atomic
def start_round(
    *,
    tenant: Tenant,
    run: EvaluationRun,
    design: Design,
    reviewers: Sequence[User],
    due_on: date | None = None,
    created_by: User | None = None,
) -> ReviewRound:
    """Draw the answers of a new round of a ready evaluation, put them in order, and assign the reviewers."""
    candidate = _checked(run, design)
    _check_people(tenant, reviewers, design.reviewers_per_item)
    # Two rounds started at once must not get the same number.
    run = EvaluationRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
    last = ReviewRound.objects.filter(run=run).aggregate(last=Max("number"))["last"] or 0
    seed = secrets.token_hex(16)
    rows = rows_of(run, candidate)
    if not rows:
        raise Conflict("There are no answers to review.", code="review:no_answers")
    found = draw(rows, labels=design.labels, shares=design.shares, seed=seed, errors=errors_of(run, rows))
    review_round: ReviewRound = ReviewRound.objects.create(
        tenant=tenant,
        run=run,
        number=last + 1,
        rubric_version=design.rubric_version,
        candidate=candidate,
        against=design.against,
        shape=design.shape,
        reviewers_per_item=design.reviewers_per_item,
        seed=seed,
        shows_judge=design.shows_judge,
        due_on=due_on,
        created_by=created_by,
    )
    items = _items(review_round, found)
    if not items:
        raise Conflict("There are no answers to review.", code="review:no_answers")
    RoundItem.objects.bulk_create(items, batch_size=BATCH)
    _assign(review_round, reviewers, due_on)
    record_event(
        "review_round.started",
        review_round,
        after={
            "evaluation": run.id,
            "answers": len(items),
            "shares": asdict(design.shares),
            "seed": seed,
            "shape": design.shape,
            "candidate": candidate.name,
            "against": design.against.name if design.against else None,
            "rubric_version": design.rubric_version.id if design.rubric_version else None,
            "reviewers_per_item": design.reviewers_per_item,
            "reviewers": sorted(person.email for person in reviewers),
            "due_on": due_on,
        },
    )
    return review_round


@transaction.atomic
def change_round(
    *,
    review_round: ReviewRound,
    reviewers: Sequence[User] | None = None,
    due_on: date | None = None,
    keeps_due_date: bool = True,
    rubric_version: RubricVersion | None = None,
) -> ReviewRound:
    """Change who grades, until when, or by which version of the rubric.

    Reviews by an older version stay, but no longer decide: their items are handed out again, first of all to those who
    graded them. Experts who are taken off keep what they graded.
    """
    changed = _open(review_round)
    before: dict[str, Any] = {"due_on": changed.due_on, "rubric_version": changed.rubric_version_id}
    after: dict[str, Any] = {}
    if not keeps_due_date:
        after["due_on"] = changed.due_on = due_on
        Assignment.objects.filter(round=changed).update(due_on=due_on)
    if reviewers is not None:
        _check_people(changed.tenant, reviewers, changed.reviewers_per_item)
        before["reviewers"] = sorted(Assignment.objects.filter(round=changed).values_list("reviewer__email", flat=True))
        after["reviewers"] = sorted(person.email for person in reviewers)
        gone = Assignment.objects.filter(round=changed).exclude(reviewer__in=reviewers)
        Turn.objects.filter(
            round_item__round=changed, reviewer__in=gone.values("reviewer"), state=TurnState.RESERVED
        ).delete()
        gone.delete()
        _assign(changed, reviewers, changed.due_on)
    if rubric_version is not None and rubric_version.id != changed.rubric_version_id:
        _check_newer(changed, rubric_version)
        after["rubric_version"] = rubric_version.id
        _grade_again(changed, rubric_version)
    changed.save(update_fields=["due_on", "rubric_version"])
    if after:
        record_event("review_round.changed", changed, before={name: before.get(name) for name in after}, after=after)
    return changed


@transaction.atomic
def close_round(*, review_round: ReviewRound) -> ReviewRound:
    """Take no more grades in this round. Answers reserved but not graded are left out."""
    closed = _open(review_round)
    # Every grade given now holds the lock of its item: those are waited for.
    list(RoundItem.objects.select_for_update().filter(round=closed).order_by("position").values_list("pk", flat=True))
    closed.state, closed.closed_at = RoundState.CLOSED, timezone.now()
    closed.save(update_fields=["state", "closed_at"])
    Turn.objects.filter(round_item__round=closed, state=TurnState.RESERVED).delete()
    record_event("review_round.closed", closed, before={"state": RoundState.OPEN}, after={"state": closed.state})
    news.announce(closed.tenant_id)
    return closed


def _open(review_round: ReviewRound) -> ReviewRound:
    found: ReviewRound = (
        ReviewRound.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=review_round.pk)
    )
    if found.state != RoundState.OPEN:
        raise RoundClosed
    return found


def _checked(run: EvaluationRun, design: Design) -> EvaluatedModel:
    """The model whose answers are graded. Raises PortalError for a design that cannot be."""
    if run.state != EvaluationState.READY:
        raise Conflict("This evaluation is not ready for review.", code="review:not_ready")
    if not 1 <= design.labels <= MOST_LABELS:
        raise PortalError(f"Choose 1 to {MOST_LABELS:,} answers.", code="review:labels", field="answers")
    if not 1 <= design.reviewers_per_item <= MOST_REVIEWERS:
        raise PortalError(
            f"Choose 1 to {MOST_REVIEWERS} reviewers per answer.",
            code="review:reviewers_per_answer",
            field="reviewers_per_answer",
        )
    shares = design.shares
    if min(shares.uniform, shares.adversarial) < 0 or shares.uniform + shares.adversarial > 1:
        raise PortalError(
            "The shares of random and of adversarial answers lie between 0 and 1, and are at most 1 together.",
            code="review:shares",
            field="uniform_share",
        )
    candidate = design.candidate or run.models.filter(key=run.own_key).first()
    if candidate is None or candidate.run_id != run.id:
        raise PortalError("Choose a model of this evaluation.", code="review:model", field="candidate")
    if design.against is not None and (design.against.run_id != run.id or design.against == candidate):
        raise PortalError("Choose another model of this evaluation.", code="review:model", field="against")
    if design.shape == RoundShape.PAIR and design.against is None:
        raise PortalError(
            "Choose the model whose answers are shown beside those to review.", code="review:model", field="against"
        )
    return candidate


def _check_people(tenant: Tenant, reviewers: Sequence[User], reviewers_per_item: int) -> None:
    if len(set(reviewers)) < reviewers_per_item:
        raise PortalError(
            f"Choose at least {reviewers_per_item} reviewer{'s' if reviewers_per_item > 1 else ''}, "
            "as many as should grade each answer.",
            code="review:reviewers",
            field="reviewers",
        )
    members = set(Membership.objects.filter(tenant=tenant, user__in=reviewers).values_list("user", flat=True))
    if any(person.pk not in members for person in reviewers):
        raise PortalError("Choose members of your organisation.", code="review:reviewers", field="reviewers")


def _check_newer(review_round: ReviewRound, version: RubricVersion) -> None:
    current = review_round.rubric_version
    if current is not None and (current.rubric_id != version.rubric_id or version.number < current.number):
        raise PortalError(
            "Choose a newer version of the same rubric, or start another round.",
            code="review:rubric",
            field="rubric_version",
        )


def _items(review_round: ReviewRound, found: Sequence[Drawn]) -> list[RoundItem]:
    models = [model for model in (review_round.candidate, review_round.against) if model is not None]
    answers = {
        (model_id, item_id): answer_id
        for answer_id, model_id, item_id in Answer.objects.filter(
            model__in=models, item__in=[one.item for one in found]
        ).values_list("id", "model", "item")
    }
    swaps = random_keys([str(one.item) for one in found], seed=f"{review_round.seed}:sides")
    items: list[RoundItem] = []
    for one, swap in zip(found, swaps, strict=True):
        given = [answers[model.id, one.item] for model in models if (model.id, one.item) in answers]
        if len(given) < len(models):
            continue
        is_swapped = len(given) > 1 and swap < 0.5
        sides: list[tuple[UUID, UUID | None]]
        if review_round.shape == RoundShape.PAIR:
            sides = [(given[0], given[1])]
        else:
            # Experts must not learn which model comes first.
            sides = [(answer, None) for answer in (reversed(given) if is_swapped else given)]
            is_swapped = False
        items += [
            RoundItem(
                tenant_id=review_round.tenant_id,
                round=review_round,
                position=len(items) + place,
                item_id=one.item,
                answer_id=answer,
                other_id=other,
                is_swapped=is_swapped,
                part=one.part,
                probability=one.probability,
            )
            for place, (answer, other) in enumerate(sides, 1)
        ]
    return items


def _assign(review_round: ReviewRound, reviewers: Sequence[User], due_on: date | None) -> None:
    Assignment.objects.bulk_create(
        [
            Assignment(tenant_id=review_round.tenant_id, round=review_round, reviewer=person, due_on=due_on)
            for person in dict.fromkeys(reviewers)
        ],
        ignore_conflicts=True,
    )


def _grade_again(review_round: ReviewRound, rubric_version: RubricVersion) -> None:
    """Undecide what was decided by an older version, and give it back to those who graded it."""
    # Every grade given now holds the lock of its item, and reads the round after it has it.
    list(
        RoundItem.objects.select_for_update()
        .filter(round=review_round)
        .order_by("position")
        .values_list("pk", flat=True)
    )
    review_round.rubric_version = rubric_version
    RoundItem.objects.filter(round=review_round).update(is_decided=False)
    by_older = Review.objects.filter(
        round_item=OuterRef("round_item"), reviewer=OuterRef("reviewer"), is_adjudication=False
    )
    assigned = Assignment.objects.filter(round=review_round).values("reviewer")
    Turn.objects.filter(
        Exists(by_older), round_item__round=review_round, reviewer__in=assigned, state=TurnState.GRADED
    ).update(state=TurnState.RESERVED, expires_at=Now())
