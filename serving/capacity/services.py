"""Writes: what endpoints keep in their slots, and what was predicted of them."""

import datetime as dt

from django.db import transaction

from rest.errors import Conflict
from serving.capacity.predictions import Figures
from serving.endpoints.queries import EndpointNotSetUp, backend_of
from serving.endpoints.tasks import wake_reconciler
from serving.models import HELD, CapacityPrediction, Deployment, Endpoint
from tenants.audit.services import record_event
from tenants.scope import system_scope, tenant_scope


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
