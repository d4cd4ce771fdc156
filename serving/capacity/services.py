"""Writes: what endpoints keep in their slots, and what was predicted of them."""

import datetime as dt
import secrets
from collections.abc import Sequence

import structlog
from celery import current_app
from django.db import IntegrityError, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from jobs.messages.validity import valid_for
from rest.errors import Conflict, PortalError
from serving.backends.recommending import MOST_MACHINES, Goal, Outcome
from serving.capacity.asked import asked_of, can_recommend
from serving.capacity.predictions import Figures
from serving.endpoints.queries import EndpointNotSetUp, backend_of
from serving.endpoints.waking import wake_reconciler
from serving.models import (
    HELD,
    CapacityPrediction,
    CapacityRecommendation,
    Deployment,
    Endpoint,
    RecommendationState,
)
from tenants.audit.services import record_event
from tenants.scope import system_scope, tenant_scope

KEPT_RECOMMENDATIONS = 20
"""For each endpoint; older ones are deleted when one is started."""

FOLLOWING = "serving.follow_recommendations"
"""The task that looks at recommendations. It runs by the clock too, so a message that is late can be dropped."""

FOLLOWING_SECONDS = 60

log = structlog.get_logger(__name__)


@transaction.atomic
def pin_deployment(*, deployment: Deployment) -> None:
    """Keep an adapter in a slot, however rarely it is asked; the reconciler has the endpoint do so.

    Raises Conflict: deployment:gone, deployment:too_many_pins.
    """
    # Two pins at once must not both take the last slot.
    endpoint = Endpoint.objects.select_for_update().get(id=deployment.endpoint_id)
    _refuse_too_many(endpoint)
    _set_pin(deployment, is_pinned=True)


@transaction.atomic
def unpin_deployment(*, deployment: Deployment) -> None:
    """Let a pinned adapter take turns again. Raises Conflict: deployment:gone."""
    _set_pin(deployment, is_pinned=False)


def note_prediction(
    *, deployment: Deployment, predicted: Figures, loads_before: int | None, due_at: dt.datetime
) -> CapacityPrediction:
    """Write down what is expected of an endpoint with a new deployment; the first time counts."""
    with tenant_scope(deployment.tenant_id):
        prediction, _ = CapacityPrediction.objects.get_or_create(
            deployment=deployment,
            defaults={
                "endpoint": deployment.endpoint,
                "predicted": predicted.to_dict(),
                "loads_before": loads_before,
                "due_at": due_at,
            },
        )
    return prediction


def note_measured(*, prediction: CapacityPrediction, measured: Figures, at: dt.datetime) -> None:
    """Write down what came of a prediction; the first time counts."""
    with tenant_scope(prediction.tenant_id):
        open_ones = CapacityPrediction.objects.filter(id=prediction.id, measured_at=None)
        open_ones.update(measured=measured.to_dict(), measured_at=at)


def forget_predictions(*, before: dt.datetime) -> None:
    """Delete those that are older, of all tenants."""
    with system_scope():
        CapacityPrediction.objects.filter(created_at__lt=before).delete()


def start_recommendation(*, endpoint: Endpoint, goal: Goal, machines: Sequence[str] = ()) -> CapacityRecommendation:
    """Have the cloud try which machines an endpoint needs, with its busiest adapters and its usual requests.

    The worker asks; it costs what the machines cost that the cloud tries. Raises Conflict:
    recommendation:not_offered, recommendation:running; PortalError: recommendation:bad_machines.
    """
    if not can_recommend(endpoint):
        text = "Only endpoints in service on SageMaker can be recommended for."
        raise Conflict(text, code="recommendation:not_offered")
    if len(machines) > MOST_MACHINES:
        text = f"Name at most {MOST_MACHINES} instance types, or none."
        raise PortalError(text, code="recommendation:bad_machines", field="machines")
    asked = asked_of(endpoint) | {"goal": goal, "machines": list(machines)}
    name = f"portal-{endpoint.name[:40]}".rstrip("-") + f"-{secrets.token_hex(4)}"
    try:
        with transaction.atomic():
            started: CapacityRecommendation = CapacityRecommendation.objects.create(
                endpoint=endpoint, name=name, asked=asked
            )
    except IntegrityError:
        text = "Recommendations are being worked out already. Wait until they are there."
        raise Conflict(text, code="recommendation:running") from None
    kept = CapacityRecommendation.objects.filter(endpoint=endpoint).values("id")[:KEPT_RECOMMENDATIONS]
    CapacityRecommendation.objects.filter(endpoint=endpoint).exclude(id__in=[row["id"] for row in kept]).delete()
    transaction.on_commit(_follow)
    return started


def note_outcome(*, recommendation: CapacityRecommendation, outcome: Outcome) -> None:
    """Write down how far a recommendation is; one that is over stays as it is."""
    over = outcome.status != "running"
    CapacityRecommendation.objects.filter(id=recommendation.id, ended_at=None).update(
        state=RecommendationState(outcome.status),
        error_text=outcome.text,
        answer=[one.to_dict() for one in outcome.recommendations],
        ended_at=timezone.now() if over else None,
    )
    recommendation.refresh_from_db()


def _follow() -> None:
    # By its name: the task's module needs this one.
    try:
        current_app.send_task(FOLLOWING, **valid_for(FOLLOWING_SECONDS))
    except OperationalError:
        log.warning("broker_unreachable")


def _set_pin(deployment: Deployment, *, is_pinned: bool) -> None:
    rows = Deployment.objects.filter(id=deployment.id, state__in=HELD)
    if not rows.exists():
        raise Conflict("This adapter is no longer on the endpoint.", code="deployment:gone")
    if not rows.exclude(is_pinned=is_pinned).update(is_pinned=is_pinned):
        return
    deployment.refresh_from_db()
    action = "deployment.pinned" if is_pinned else "deployment.unpinned"
    record_event(action, deployment, after={"version": str(deployment.version), "endpoint": deployment.endpoint.name})
    wake_reconciler()


def _refuse_too_many(endpoint: Endpoint) -> None:
    """At least one slot is left for all others, or none of them could answer."""
    try:
        setup = backend_of(endpoint).setup(endpoint.base_model.context_length)
    except (EndpointNotSetUp, ValueError):
        setup = None
    if setup is None:
        return
    with system_scope():
        pinned = Deployment.objects.filter(endpoint=endpoint, state__in=HELD, is_pinned=True).count()
    if pinned + 1 >= setup.slots:
        text = f"{pinned} of {setup.slots} slots are pinned. One has to be left for other adapters: unpin one first."
        raise Conflict(text, code="deployment:too_many_pins")
