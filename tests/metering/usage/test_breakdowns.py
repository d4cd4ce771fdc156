"""Usage by any dimension, of any part, in any range, is what the single requests sum up to."""

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable
from itertools import product
from math import ceil
from pathlib import Path

import pytest

from lorakit.contracts import InvocationRecord
from metering.ledger.collector import collect
from metering.models import By, Grain, version_value
from metering.usage.queries import Slice, usage_of
from metering.usage.ranges import begin_of
from tenants.models import Tenant
from tests.metering.ledger.test_collector import random_records

pytestmark = pytest.mark.django_db

RANGES = [
    ("2026-10-24T22", "2026-11-01T01"),
    ("2026-10-24T23", "2026-10-25T01"),
    ("2026-10-01T00", "2026-11-01T00"),
    ("2026-10-25T00", "2026-12-01T00"),
    ("2026-10-24T23", "2026-11-01T00"),
]


def parts_of(record: InvocationRecord) -> dict[By, str]:
    return {
        By.ALL: "",
        By.MODEL: record.alias,
        By.VERSION: version_value(record.alias, record.version_id or ""),
        By.ENDPOINT: record.endpoint,
        By.KEY: record.key_id,
    }


@pytest.fixture
def records(
    record: Callable[..., InvocationRecord], write: Callable[..., Path], folder: Path, in_tenant: Tenant
) -> list[InvocationRecord]:
    # A name that begins as another does, and one that comes right after it.
    found = random_records(record, random.Random(13), 100)
    found += [record(at=found[0].at, alias=alias, version_id=found[1].version_id) for alias in ("ab", "a0", "a-b")]
    write(*found)
    collect(folder)
    return found


@pytest.mark.parametrize(("start", "end"), RANGES)
def test_every_breakdown_is_the_sum_of_its_requests(records: list[InvocationRecord], start: str, end: str) -> None:
    first, last = (dt.datetime.fromisoformat(hour).replace(tzinfo=dt.UTC) for hour in (start, end))
    inside = [one for one in records if first.timestamp() <= one.at < last.timestamp()]
    filters: list[dict[By, str]] = [{}]
    filters += [{by: parts_of(inside[0])[by]} for by in set(By) - {By.ALL}]
    filters += [{By.MODEL: "a", By.KEY: inside[0].key_id}]
    for only, by in product(filters, set(By) - {By.ALL}):
        found = usage_of(Slice.touching(first, last, only.items()), by)
        wanted = [one for one in inside if all(parts_of(one)[name] == value for name, value in only.items())]
        assert {line.name.value: line.figures.requests for line in found.lines} == Counter(
            parts_of(one)[by] for one in wanted
        )
        assert found.total.requests == len(wanted)
        assert found.total.errors == sum(one.status >= 400 for one in wanted)
        latencies = sorted(one.latency_ms for one in wanted if one.status < 400)
        assert found.total.p95_ms == pytest.approx(latencies[ceil(round(0.95 * len(latencies), 6)) - 1], rel=0.0101)


@pytest.mark.parametrize("grain", Grain)
def test_a_series_sums_to_the_total(records: list[InvocationRecord], grain: Grain) -> None:
    first, last = dt.datetime(2026, 10, 24, 23, tzinfo=dt.UTC), dt.datetime(2026, 11, 1, 1, tzinfo=dt.UTC)
    found = usage_of(Slice.touching(first, last), By.MODEL)
    inside = [one for one in records if first.timestamp() <= one.at < last.timestamp()]
    times = Counter(begin_of(grain, dt.datetime.fromtimestamp(one.at, dt.UTC)) for one in inside)
    assert {at: figures.requests for at, figures in found.series(grain).items()} == times
    begun = {id(one): begin_of(grain, dt.datetime.fromtimestamp(one.at, dt.UTC)) for one in inside}
    assert found.requests_of(grain, ["a", "b"]) == {
        alias: Counter(begun[id(one)] for one in inside if one.alias == alias) for alias in ("a", "b")
    }
