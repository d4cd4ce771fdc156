"""What versions cost over their lives sums to everything that was paid, and sharing's saving is true arithmetic."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from adapters.models import AdapterVersion
from evaluations.models import EvaluationRun, EvaluationState, Judging, JudgingState
from jobs.models import Job
from jobs.states import State
from lorakit.contracts import InvocationRecord
from metering.costs.allocation import allocate_hour
from metering.costs.queries import costs_of
from metering.lifetime.costs import lives
from metering.lifetime.live import advice_by_version
from metering.lifetime.savings import saving
from metering.models import EndpointHour, Grain, HourlyUsage
from metering.usage.queries import Slice
from metering.usage.ranges import HOUR, begin_of
from serving.models import Deployment, Route
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.metering.conftest import NOON

pytestmark = pytest.mark.django_db
Hold = Callable[..., AdapterVersion]
PAGE = "/usage/adapters/"


def hour(at: dt.datetime = NOON, *, ms: int = 3_600_000, price: str | None = "1") -> EndpointHour:
    return EndpointHour.objects.create(
        endpoint="shared", hour=at, up_ms=ms, instance_ms=ms, measured_until=at + HOUR, idle_policy="use",
        price_per_hour=price and Decimal(price), price_source="a quote" if price else "",
    )  # fmt: skip


@pytest.fixture
def asked(record: Callable[..., InvocationRecord], count: Callable[..., int]) -> Callable[..., None]:
    """Ask a version so many times in the hour of NOON, and share its cost."""

    def ask(version: AdapterVersion, times: int, **changes: Any) -> None:
        plain = {"at": NOON.timestamp() + 60, "endpoint": "shared", "queue_ms": 1.0, "busy_ms": 1000.0, **changes}
        told = {"alias": version.adapter.name, "version_id": str(version.id), "tenant_id": str(version.tenant_id)}
        count(*(record(**plain, **told) for _ in range(times)))

    return ask


def billed(version: AdapterVersion, kind: str, seconds: float, price: str | None) -> Job:
    job: Job = Job.objects.create(
        kind=kind, title=kind, state=State.SUCCEEDED, finished_at=NOON, billable_seconds=seconds,
        usd_per_hour=price and Decimal(price), price_source="list",
    )  # fmt: skip
    return job


def evaluated(version: AdapterVersion, *, price: str | None = "2", judges: dict[str, Any] | None = None) -> None:
    run = EvaluationRun.objects.create(
        version=version, dataset_version=version.run.dataset_version, job=billed(version, "evaluation", 90.0, price),
        state=EvaluationState.READY,
    )  # fmt: skip
    if judges is not None:
        Judging.objects.create(run=run, state=JudgingState.READY, judges=[], usage=judges)


def test_a_version_has_everything_it_took(in_tenant: Tenant, hold: Hold, asked: Callable[..., None]) -> None:
    version, other = hold(in_tenant, "legal"), hold(in_tenant, "clinic")
    Job.objects.filter(id=version.run.job_id).update(billable_seconds=360, usd_per_hour=2, finished_at=NOON)
    evaluated(version, judges={"calls": 10, "cost_usd": 0.25})
    evaluated(version, price=None, judges={"calls": 10, "cost_usd": None})
    asked(version, 3)
    asked(other, 1)
    hour()
    allocate_hour("shared", NOON)
    # Of no version: a check of a dataset.
    billed(version, "dataset_check", 36.0, "2")
    found = lives()
    first, second = found.versions
    assert (first.version, second.version) == (version, other)
    assert (first.training, first.evaluating, first.judging) == (
        Decimal("0.2"),
        Decimal("0.05"),
        Decimal("0.25"),
    )
    assert first.figures.cost + second.figures.cost == 1
    assert first.figures.cost == pytest.approx(Decimal("0.75"), abs=Decimal("0.000001"))
    assert first.total == first.figures.cost + Decimal("0.5")
    assert first.unknown == 2
    assert (first.per_request, first.per_1000_tokens) == (first.total / 3, first.total * 1000 / 45)
    assert first.idle_share == pytest.approx(1 - 4 / 3600, abs=1e-3)
    assert second.total == second.figures.cost
    # The judging is not among them: no call of it was recorded.
    assert found.total == costs_of(NOON - HOUR, timezone.now()).total_usd == Decimal("1.27")
    assert found.total == first.total + second.total + found.rest


def test_what_has_no_price_is_unknown(in_tenant: Tenant, hold: Hold, asked: Callable[..., None]) -> None:
    version = hold(in_tenant, "legal")
    Job.objects.filter(id=version.run.job_id).update(billable_seconds=360, usd_per_hour=None)
    asked(version, 2)
    [life] = lives().versions
    assert life.training is None
    assert (life.total, life.unknown) == (Decimal(0), 3)


def test_apart_each_adapter_has_an_endpoint_of_its_own(in_tenant: Tenant, other_tenant: Tenant, hold: Hold) -> None:
    for name in ("legal", "clinic"):
        hold(in_tenant, name)
    hold(in_tenant, "late", NOON + HOUR / 2)
    hold(other_tenant, "foreign")
    hour()
    hour(NOON + HOUR, ms=1_800_000, price="2")
    hour(NOON + 2 * HOUR, price=None)
    found = saving(Slice(start=NOON, end=NOON + 3 * HOUR))
    assert [(part.hours, part.price_per_hour) for part in found.apart] == [
        (Decimal("2.5"), Decimal(1)),
        (Decimal("1.5"), Decimal(2)),
    ]
    assert found.usd_apart == Decimal("5.5")
    assert (found.usd_together, found.hours_without_price) == (Decimal(0), Decimal(3))
    assert found.share == 1.0
    assert saving(Slice(start=NOON - 9 * HOUR, end=NOON)).share is None


def test_two_versions_of_an_adapter_are_one_endpoint(in_tenant: Tenant, hold: Hold) -> None:
    version = hold(in_tenant, "legal")
    again = Deployment.objects.get(version=version)
    Deployment.objects.filter(id=again.id).update(state="deleted", deleted_at=NOON + HOUR / 2)
    Deployment.objects.create(
        endpoint=again.endpoint, version=version, name="again", state="in_service", in_service_at=NOON + HOUR / 4
    )
    hour()
    assert saving(Slice(start=NOON, end=NOON + HOUR)).usd_apart == 1


def test_live_versions_get_advice(in_tenant: Tenant, hold: Hold, asked: Callable[..., None]) -> None:
    now = timezone.now()
    names = ("legal", "clinic", "idle", "waiting")
    used, unused, idle, _ = (hold(in_tenant, name, now - dt.timedelta(days=40)) for name in names)
    for version in (used, unused, idle):
        live = Deployment.objects.get(version=version)
        Route.objects.create(adapter=version.adapter, alias=version.adapter.name, active=live, switched_at=NOON)
    asked(used, 2, at=now.timestamp() - 60)
    asked(unused, 2, at=(now - dt.timedelta(days=30)).timestamp())
    # It bears idle time now, which is no request.
    HourlyUsage.objects.create(
        hour=begin_of(Grain.HOUR, now), alias="idle", version_key=str(idle.id), endpoint="shared", idle_micros=9
    )
    found = advice_by_version()
    assert {version_id: one.advice.value for version_id, one in found.items()} == {
        used.id: "keep", unused.id: "retire", idle.id: "retire",
    }  # fmt: skip
    assert "29 days" in found[unused.id].reason or "30 days" in found[unused.id].reason


def test_page_and_rest_tell_the_same(
    as_alice: Client, api: APIClient, other_api: APIClient, tenant: Tenant, hold: Hold, asked: Callable[..., None]
) -> None:
    version = hold(tenant, "legal", timezone.now() - HOUR)
    with tenant_scope(tenant.id):
        asked(version, 3)
        hour()
        allocate_hour("shared", NOON)
    document = api.get("/api/v1/adapter-costs/").json()
    [life] = document["versions"]
    assert (life["version"], life["total_usd"], life["requests"]) == (str(version.id), "1.000000", 3)
    assert (document["total_usd"], document["rest_usd"]) == ("1.000000", "0.000000")
    page = as_alice.get(PAGE).content.decode()
    assert "legal v1" in page
    assert "$1.00" in page
    assert other_api.get("/api/v1/adapter-costs/").json()["versions"] == []


def test_without_a_version_it_says_what_to_do(as_alice: Client) -> None:
    assert "Train an adapter" in as_alice.get(PAGE).content.decode()
