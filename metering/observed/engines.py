"""What engines say of their memory, kept by hour. A cloud's engine says nothing of it."""

import datetime as dt

import structlog
from django.db import connection
from django.utils import timezone

from metering.ledger.rollup import hour_of
from metering.models import EngineHour
from serving.backends.residency import Residency
from serving.capacity.twins import residency_of
from serving.endpoints.queries import EndpointNotSetUp
from serving.models import Endpoint

log = structlog.get_logger(__name__)

KEPT = dt.timedelta(days=400)
"""As long as the usage page reaches back."""

COLUMNS = tuple(f"{part}_bytes" for part in EngineHour.PARTS)


def note_engines(*, now: dt.datetime | None = None) -> None:
    """Ask every endpoint, and keep the most of its hour. One that is away, or says nothing, is asked the next time."""
    now = now or timezone.now()
    for endpoint in Endpoint.objects.select_related("base_model").order_by("name"):
        residency = _residency(endpoint)
        sizes = [residency.memory.get(part) if residency else None for part in EngineHour.PARTS]
        if any(size is not None for size in sizes):
            _add(endpoint, hour_of(now), sizes)
    EngineHour.objects.filter(hour__lt=hour_of(now - KEPT)).delete()


def _residency(endpoint: Endpoint) -> Residency | None:
    try:
        return residency_of(endpoint)
    except EndpointNotSetUp as error:
        log.warning("engine_not_noted", endpoint=endpoint.name, error=str(error))
        return None


def _add(endpoint: Endpoint, hour: dt.datetime, sizes: list[int | None]) -> None:
    """GREATEST passes over what is not known."""
    table, columns = EngineHour._meta.db_table, ", ".join(COLUMNS)
    most = ", ".join(f"{name} = GREATEST({table}.{name}, EXCLUDED.{name})" for name in COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (endpoint_id, hour, {columns}) VALUES (%s, %s, %s, %s, %s, %s)"  # noqa: S608
            f" ON CONFLICT (endpoint_id, hour) DO UPDATE SET {most}",
            [endpoint.id, hour, *sizes],
        )
