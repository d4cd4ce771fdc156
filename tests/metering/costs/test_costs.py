"""Cost is measured time times a price with its source, and the lines sum to the total."""

import datetime as dt
import importlib
import re
from collections.abc import Callable
from decimal import Decimal
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from adapters.models import BaseModel
from jobs import kinds
from jobs.compute.kinds import ComputeKind
from jobs.models import Job
from jobs.states import State
from lorakit.contracts import InvocationRecord
from metering.costs.allocation import allocate_due
from metering.costs.measuring import measure_endpoints
from metering.costs.over_time import costs_over_time
from metering.costs.queries import TITLES, CostSummary, costs_of
from metering.models import Grain
from metering.usage.queries import Slice, usage_of
from portal import settings as settings_file
from serving.backends import endpoints
from serving.backends.vllm import VllmEndpoint
from serving.endpoints.services import ensure_endpoint
from serving.models import Endpoint
from tenants.models import Tenant
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db
Record = Callable[..., InvocationRecord]


@pytest.fixture(autouse=True)
def priced_endpoint(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    options = {
        "URL": "http://127.0.0.1:9", "ADAPTER_DIR": "unused", "PRICE_USD_PER_HOUR": 3.6, "PRICE_SOURCE": "a quote"
    }  # fmt: skip
    monkeypatch.setitem(endpoints.built, "default", VllmEndpoint("default", options))
    base = BaseModel.objects.create(name="tiny-llama", title="Tiny", location="nowhere")
    ensure_endpoint(name="shared", backend="default", base_model=base)


def job(tenant: Tenant, **values: object) -> Job:
    plain = {
        "kind": "training", "title": "Train", "state": State.SUCCEEDED, "finished_at": timezone.now(),
        "billable_seconds": 360.0, "usd_per_hour": Decimal("2"), "price_source": "price list",
    }  # fmt: skip
    with tenant_scope(tenant.id):
        return Job.objects.create(tenant=tenant, **{**plain, **values})


def last_day() -> CostSummary:
    return costs_of(timezone.now() - dt.timedelta(days=1), timezone.now())


def test_each_kind_has_its_line_and_the_lines_sum_to_the_total(
    in_tenant: Tenant, record: Record, count: Callable[..., int]
) -> None:
    job(in_tenant)
    job(in_tenant, billable_seconds=180.0)
    job(in_tenant, kind="evaluation", billable_seconds=36.0)
    told = {"endpoint": "shared", "queue_ms": 0.0}
    count(record(busy_ms=1500.0, **told), record(busy_ms=500.0, version_id=str(uuid4()), **told))
    assert [line.usd for line in last_day().lines if line.kind == "serving"] == [None]
    assert last_day().requests_without_cost == 2
    Endpoint.objects.update(created_at=timezone.now() - dt.timedelta(hours=3))
    measure_endpoints()
    allocate_due()
    costs = last_day()
    assert {(line.title, line.usd, line.price_source) for line in costs.lines} == {
        ("Training", Decimal("0.300000"), "price list"),
        ("Evaluation", Decimal("0.020000"), "price list"),
        ("Serving on shared", Decimal("0.002000"), "a quote"),
    }
    assert costs.total_usd == Decimal("0.322000")
    wanted = Slice(start=costs.start, end=costs.end)
    for grain in Grain:
        parts = costs_over_time(wanted, grain, usage_of(wanted).series(grain))
        sums = {title: sum(amounts.values()) for title, amounts in parts.items()}
        assert sums == {"Training": Decimal("0.3"), "Evaluation": Decimal("0.02"), "Serving": Decimal("0.002")}


def test_another_price_is_another_line(in_tenant: Tenant) -> None:
    job(in_tenant)
    job(in_tenant, usd_per_hour=Decimal("4"), price_source="new price list")
    assert [line.usd for line in sorted(last_day().lines, key=lambda line: line.price_source, reverse=True)] == [
        Decimal("0.200000"),
        Decimal("0.400000"),
    ]


def test_what_ended_outside_the_range_is_not_in_it(in_tenant: Tenant) -> None:
    job(in_tenant, finished_at=timezone.now() - dt.timedelta(days=3))
    assert last_day().lines == []
    assert last_day().total_usd == 0


def test_attempts_of_a_job_that_still_runs_count(in_tenant: Tenant) -> None:
    job(in_tenant, state=State.RUNNING, finished_at=None)
    assert last_day().total_usd == Decimal("0.200000")


def test_what_a_job_without_price_costs_is_unknown(in_tenant: Tenant) -> None:
    job(in_tenant, usd_per_hour=None, price_source="")
    [line] = last_day().lines
    assert (line.usd, line.usd_per_hour, line.price_source) == (None, None, "No price set")


def test_other_tenants_costs_are_not_seen(in_tenant: Tenant, other_tenant: Tenant) -> None:
    job(other_tenant)
    assert last_day().lines == []


def test_every_kind_that_runs_somewhere_has_a_title() -> None:
    # Other tests register kinds of their own.
    ours = {name: kind for name, kind in kinds._kinds.items() if not type(kind).__module__.startswith("tests.")}
    assert {name for name, kind in ours.items() if isinstance(kind, ComputeKind)} <= TITLES.keys()


def test_no_price_source_names_a_setting(in_tenant: Tenant) -> None:
    backends = [*settings_file.COMPUTE.values(), *settings_file.ENDPOINTS.values(), settings_file._sagemaker_compute]
    defaults = [backend["OPTIONS"]["PRICE_SOURCE"] for backend in backends]
    recorded = importlib.import_module("jobs.migrations.0004_price_sources_in_plain_words")
    for old in recorded.PLAIN:
        job(in_tenant, price_source=old)
    job(in_tenant, price_source="price list")
    with connection.schema_editor() as editor:
        recorded.reword(apps, editor)
    shown = [line.price_source for line in last_day().lines]
    assert "price list" in shown
    assert len(shown) == 3
    for source in [*defaults, *shown]:
        assert not re.search(r"[A-Z]+_[A-Z]+", source), source


def test_an_endpoint_that_tells_no_time_costs_what_its_tokens_were(
    in_tenant: Tenant, record: Record, count: Callable[..., int]
) -> None:
    count(record(endpoint="shared", queue_ms=None, busy_ms=0.0))
    assert last_day().requests_without_cost == 1
    Endpoint.objects.update(created_at=timezone.now() - dt.timedelta(hours=3))
    measure_endpoints()
    allocate_due()
    now = timezone.now()
    wanted = Slice.touching(now - dt.timedelta(days=1), now)
    [line] = [line for line in last_day().lines if line.kind == "serving"]
    total = usage_of(wanted).total
    assert total.used_micros > 0
    assert (line.usd, line.seconds, last_day().requests_without_cost) == (total.used_cost, None, 0)
    assert last_day().total_usd == sum(
        costs_over_time(wanted, Grain.DAY, usage_of(wanted).series(Grain.DAY))["Serving"].values()
    )
