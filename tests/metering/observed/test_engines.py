"""The memory of engines by hour: the most that each part took, of those that say it."""

import datetime as dt

import pytest

from metering.models import EngineHour
from metering.observed.engines import KEPT, note_engines
from metering.usage.ranges import HOUR
from serving.backends.residency import Residency
from serving.models import Endpoint, EndpointState
from tests.metering.conftest import NOON
from tests.serving.conftest import endpoint, memory  # noqa: F401 - fixtures
from tests.serving.memory_endpoint import MemoryEndpoint

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


def told(backend: MemoryEndpoint, **sizes: int) -> None:
    backend.resident = Residency(slots=4, memory=sizes)


def kept() -> list[tuple[dt.datetime, list[int | None]]]:
    rows = EngineHour.objects.order_by("hour")
    return [(row.hour, [getattr(row, f"{part}_bytes") for part in EngineHour.PARTS]) for row in rows]


def test_an_hour_keeps_the_most_of_each_part(memory: MemoryEndpoint, endpoint: Endpoint) -> None:  # noqa: F811
    told(memory, base=100, slots=40, process=7)
    note_engines(now=NOON + MINUTE)
    told(memory, base=90, slots=60, cache=5, another=1)
    note_engines(now=NOON + 59 * MINUTE)
    told(memory, base=80)
    note_engines(now=NOON + 60 * MINUTE)
    assert kept() == [(NOON, [100, 60, 5, 7]), (NOON + HOUR, [80, None, None, None])]


def test_nothing_is_kept_of_an_engine_that_says_nothing(memory: MemoryEndpoint, endpoint: Endpoint) -> None:  # noqa: F811
    note_engines(now=NOON)
    told(memory)
    note_engines(now=NOON)
    told(memory, base=100)
    memory.away = True
    note_engines(now=NOON)
    memory.away = False
    Endpoint.objects.update(state=EndpointState.DELETED)
    note_engines(now=NOON)
    assert kept() == []
    Endpoint.objects.update(state=EndpointState.IN_SERVICE, options={"NO_SUCH": 1})
    note_engines(now=NOON)
    assert kept() == []


def test_hours_that_are_too_old_are_deleted(memory: MemoryEndpoint, endpoint: Endpoint) -> None:  # noqa: F811
    for hour in (NOON - KEPT - HOUR, NOON - KEPT, NOON):
        EngineHour.objects.create(endpoint=endpoint, hour=hour, base_bytes=1)
    note_engines(now=NOON + MINUTE)
    assert [hour for hour, _ in kept()] == [NOON - KEPT, NOON]
