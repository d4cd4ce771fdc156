"""Writes down how long endpoints are there, and with how many instances: what a provider bills."""

import datetime as dt
from collections.abc import Iterator

import structlog
from django.db import transaction
from django.utils import timezone

from metering.models import EndpointHour, Grain
from metering.usage.ranges import HOUR, begin_of
from serving.backends.errors import EndpointError
from serving.endpoints.queries import backend_of
from serving.models import Endpoint, EndpointState

log = structlog.get_logger(__name__)

BILLED = (EndpointState.IN_SERVICE, EndpointState.CHANGING, EndpointState.DELETING)
MILLISECOND = dt.timedelta(milliseconds=1)
LONGEST = dt.timedelta(days=400)
"""How far back an endpoint is taken to have been there that nobody has measured yet."""


def measure_endpoints() -> None:
    """Bring every endpoint's hours up to now. May run twice at once, and may be late: what was missed is added."""
    for endpoint in Endpoint.objects.order_by("name"):
        instances = _instances(endpoint) if endpoint.state in BILLED else 0
        with transaction.atomic():
            # Another worker waits here, and finds nothing left to add.
            locked = Endpoint.objects.select_for_update().get(id=endpoint.id)
            _add(locked, instances, timezone.now())


def _instances(endpoint: Endpoint) -> int:
    backend = backend_of(endpoint)
    try:
        return backend.running_instances()
    except EndpointError as error:
        log.warning("instances_not_known", endpoint=endpoint.name, error=error.code)
        return backend.priced.count


def _add(endpoint: Endpoint, instances: int, now: dt.datetime) -> None:
    last = EndpointHour.objects.filter(endpoint=endpoint.name).order_by("-hour").first()
    since = last.measured_until if last else max(endpoint.created_at, now - LONGEST)
    end = now
    if endpoint.state not in BILLED:
        was_there = last is not None and last.instance_ms > 0
        end = min(max(since, endpoint.state_since), now) if was_there else since
        instances = round(last.instance_ms / last.up_ms) if last and last.up_ms else 0
    rows = [last] if last else []
    for start, stop in _by_hour(since, end):
        hour, length = begin_of(Grain.HOUR, start), (stop - start) // MILLISECOND
        if not rows or rows[-1].hour != hour:
            rows.append(EndpointHour(endpoint=endpoint.name, hour=hour, measured_until=start))
        rows[-1].up_ms += length
        rows[-1].instance_ms += length * instances
        rows[-1].measured_until = start + length * MILLISECOND
        rows[-1].allocated_at = None
    if endpoint.state not in BILLED:
        # While it is not there, time passes without being added.
        rows = rows or [EndpointHour(endpoint=endpoint.name, hour=begin_of(Grain.HOUR, now))]
        rows[-1].measured_until = now
    EndpointHour.objects.bulk_create(
        rows,
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["endpoint", "hour"],
        update_fields=["up_ms", "instance_ms", "measured_until", "allocated_at"],
    )


def _by_hour(start: dt.datetime, end: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """The range cut at full hours."""
    while start < end:
        stop = min(end, begin_of(Grain.HOUR, start) + HOUR)
        yield start, stop
        start = stop
