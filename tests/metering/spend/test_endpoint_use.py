"""An endpoint's use over time: adapters by their stays, time by its cost, machines as the cloud saw them."""

import datetime as dt
import json
import random
import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from adapters.models import AdapterVersion
from metering.models import EndpointHour, EngineHour, Grain, ObservedEndpoint
from metering.spend.charts import adapters_figure, machines_figure, memory_figure
from metering.spend.use import HourOfUse, most_at_a_time, stays, use_over_time
from metering.usage.charts import Axis
from metering.usage.queries import Slice
from metering.usage.ranges import HOUR, begin_of
from serving.models import Deployment, Endpoint
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.metering.conftest import NOON

Hold = Callable[..., AdapterVersion]
MINUTE = dt.timedelta(minutes=1)
DAY = Slice(start=NOON, end=NOON + 24 * HOUR)


def hour(endpoint: Endpoint, at: dt.datetime, *, micros: int | None = 1_000_000, used: int = 250_000) -> None:
    EndpointHour.objects.create(
        endpoint=endpoint.name, hour=at, up_ms=3_600_000, instance_ms=3_600_000, measured_until=at + HOUR,
        price_per_hour=Decimal(1), micros=micros, used_micros=used,
    )  # fmt: skip


def leave(version: AdapterVersion, at: dt.datetime) -> None:
    with tenant_scope(version.tenant_id):
        Deployment.objects.filter(version=version).update(deleted_at=at)


def test_the_most_at_a_time_is_that_of_counting_each_minute() -> None:
    rng = random.Random(16)
    hours = [NOON + number * HOUR for number in range(5)]
    for _ in range(40):
        things = []
        for _ in range(rng.randrange(6)):
            begins = [NOON + rng.randrange(-90, 300) * MINUTE for _ in range(rng.randrange(1, 4))]
            things.append([(begin, begin + rng.randrange(150) * MINUTE) for begin in begins])
        counted = {
            hour: max(
                sum(any(begin <= hour + number * MINUTE < end for begin, end in spans) for spans in things)
                for number in range(60)
            )
            for hour in hours
        }
        assert most_at_a_time(things, hours) == counted


@pytest.mark.django_db
def test_hours_have_what_is_known_of_them(in_tenant: Tenant, other_tenant: Tenant, hold: Hold) -> None:
    first, second = hold(in_tenant, "legal", NOON - HOUR), hold(other_tenant, "clinic", NOON + 90 * MINUTE)
    endpoint = Deployment.objects.get(version=first).endpoint
    leave(second, NOON + 2 * HOUR)
    for number in (0, 1, 2):
        hour(endpoint, NOON + number * HOUR, micros=None if number == 2 else 1_000_000)
    ObservedEndpoint.objects.create(
        endpoint=endpoint, hour=NOON + 4 * HOUR, read_at=NOON, gpu_percent=61.5, gpu_memory_percent=80.0, waiting=3.0
    )
    for number in (2, 5):
        EngineHour.objects.create(endpoint=endpoint, hour=NOON + number * HOUR, base_bytes=3 << 20, slots_bytes=1 << 19)
    EngineHour.objects.create(endpoint=endpoint, hour=DAY.end, base_bytes=1)
    found = use_over_time(endpoint, DAY)
    assert found == {
        NOON: HourOfUse(adapters=1, used_percent=25.0),
        NOON + HOUR: HourOfUse(adapters=2, used_percent=25.0),
        NOON + 2 * HOUR: HourOfUse(adapters=1, base_mib=3.0, slots_mib=0.5),
        NOON + 4 * HOUR: HourOfUse(gpu_percent=61.5, gpu_memory_percent=80.0, waiting=3.0),
        NOON + 5 * HOUR: HourOfUse(base_mib=3.0, slots_mib=0.5),
    }
    assert use_over_time(endpoint, Slice(start=NOON + 9 * HOUR, end=NOON + 10 * HOUR)) == {}
    told = [(one.deployment.version, one.hours, one.is_there) for one in stays(endpoint, DAY, now=NOON + 3 * HOUR)]
    assert told == [(first, 3.0, True), (second, 0.5, False)]


def test_figures_have_gaps_where_nothing_is_known() -> None:
    axis = Axis(wanted=Slice(start=NOON, end=NOON + 3 * HOUR), grain=Grain.HOUR)
    use = {NOON: HourOfUse(adapters=2, gpu_percent=50.123), NOON + 2 * HOUR: HourOfUse(adapters=3)}
    [adapters, room] = adapters_figure(axis, use, room=16)["data"]
    assert (adapters["y"], adapters["connectgaps"], room["y"]) == ([2, None, 3], False, [16, 16])
    assert adapters_figure(axis, use, room=16)["label"] == (
        "Adapters on the endpoint. Most: 3 of 16, 25 October, 14:00 UTC."
    )
    machines = machines_figure(axis, use)
    assert [(trace["name"], trace["y"]) for trace in machines["data"]] == [("GPU", [50.12, None, None])]
    assert machines["label"] == "GPU and memory. GPU, most: 50%, 25 October, 12:00 UTC."
    use = {NOON: HourOfUse(base_mib=30.0), NOON + HOUR: HourOfUse(base_mib=20.0, cache_mib=0.125)}
    memory = memory_figure(axis, use)
    traces = [(trace["name"], trace["y"]) for trace in memory["data"]]
    assert traces == [("Base model", [30.0, 20.0, None]), ("Key-value cache", [None, 0.12, None])]
    assert memory["label"] == (
        "The engine’s memory. Base model, most: 30 MiB, 25 October, 12:00 UTC. "
        "Key-value cache, most: 0 MiB, 25 October, 13:00 UTC."
    )


@pytest.mark.django_db
def test_the_page_shows_what_there_is(in_tenant: Tenant, hold: Hold, as_olga: Client) -> None:
    version = hold(in_tenant, "legal", timezone.now() - 3 * HOUR)
    endpoint = Deployment.objects.get(version=version).endpoint
    address = f"/operator/endpoints/{endpoint.id}/use/"
    assert "The endpoint wasn’t there in this period" in as_olga.get(address).content.decode()
    hour(endpoint, begin_of(Grain.HOUR, timezone.now()) - HOUR)
    page = as_olga.get(address, {"range": "24h"}).content.decode()
    assert "GPU and memory" not in page
    found = re.search(r'id="chart-used-figure" type="application/json">(.*?)</script>', page)
    assert found is not None
    [trace] = json.loads(found[1])["data"]
    assert (len(trace["y"]), [value for value in trace["y"] if value is not None]) == (25, [25.0])
    assert in_tenant.name in page
    # What it doesn't offer is the usual.
    assert 'href="?range=7d" aria-current="true"' in as_olga.get(address, {"range": "13m"}).content.decode()


@pytest.mark.django_db
def test_others_find_no_such_page(in_tenant: Tenant, hold: Hold, as_alice: Client) -> None:
    endpoint = Deployment.objects.get(version=hold(in_tenant, "legal")).endpoint
    assert as_alice.get(f"/operator/endpoints/{endpoint.id}/use/").status_code == 404
