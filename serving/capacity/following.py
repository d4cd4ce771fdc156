"""Predicts for each new adapter what its endpoint will be like, and compares after a day with what came of it."""

import datetime as dt

import structlog
from django.utils import timezone

from serving.backends.errors import EndpointError
from serving.backends.residency import Residency
from serving.capacity.predictions import Figures, measured_memory, predicted_for
from serving.capacity.services import forget_predictions, note_measured, note_prediction
from serving.capacity.twins import held_on, twin_of
from serving.capacity.usage import usage_of
from serving.endpoints.queries import EndpointNotSetUp, backend_of
from serving.models import CapacityPrediction, Deployment, DeploymentState, Endpoint
from tenants.scope import system_scope

NEW = dt.timedelta(hours=1)
"""How long after it came an adapter can still be predicted for."""

MEASURED_AFTER = dt.timedelta(days=1)
GIVEN_UP_AFTER = dt.timedelta(days=1)
"""From when on a prediction is closed without what an endpoint that is away would say."""

KEPT = dt.timedelta(days=90)

log = structlog.get_logger(__name__)


def follow_endpoints(*, now: dt.datetime | None = None) -> None:
    """Predict for adapters that have come to endpoints, measure what is due, and forget what is old."""
    now = now or timezone.now()
    for endpoint in Endpoint.objects.serving().select_related("base_model"):
        try:
            _follow(endpoint, now)
        except (EndpointNotSetUp, ValueError) as error:
            log.warning("capacity_not_followed", endpoint=endpoint.name, error=str(error))
    forget_predictions(before=now - KEPT)


def _follow(endpoint: Endpoint, now: dt.datetime) -> None:
    with system_scope():
        come = Deployment.objects.filter(
            endpoint=endpoint, state=DeploymentState.IN_SERVICE, in_service_at__gt=now - NEW, prediction=None
        )
        new = list(come.select_related("version"))
        due = list(CapacityPrediction.objects.filter(endpoint=endpoint, measured_at=None, due_at__lte=now))
    if not new and not due:
        return
    try:
        residency, is_away = backend_of(endpoint).residency(), False
    except EndpointError:
        residency, is_away = None, True
    for deployment in new:
        _predict(endpoint, deployment, residency)
    for prediction in due:
        if not is_away or now > prediction.due_at + GIVEN_UP_AFTER:
            note_measured(prediction=prediction, measured=_measured(endpoint, prediction, residency, now), at=now)


def _predict(endpoint: Endpoint, deployment: Deployment, residency: Residency | None) -> None:
    since = deployment.in_service_at
    twin = twin_of(endpoint, now=since)
    if twin is not None and since is not None:
        note_prediction(
            deployment=deployment,
            predicted=predicted_for(twin, deployment),
            loads_before=residency.loads if residency else None,
            due_at=since + MEASURED_AFTER,
        )


def _measured(
    endpoint: Endpoint, prediction: CapacityPrediction, residency: Residency | None, now: dt.datetime
) -> Figures:
    start = prediction.due_at - MEASURED_AFTER
    versions = {one.version_id: one.tenant_id for one in held_on(endpoint)}
    usage = usage_of(versions, base=endpoint.base_model.name, start=start, end=prediction.due_at)
    waits = None
    if residency is not None and prediction.loads_before is not None and residency.loads >= prediction.loads_before:
        # An engine that was restarted has counted anew.
        waits = (residency.loads - prediction.loads_before) / ((now - start) / dt.timedelta(days=1))
    return Figures(p95_ms=usage.p95_ms, waits_a_day=waits, memory_bytes=measured_memory(residency))
