"""The operator sees what endpoints cost and who bears it, and what organisations were charged, in sums that agree."""

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from adapters.models import BaseModel
from evaluations.models import CallPurpose, JudgeUsage, PaidTo
from jobs.models import Job
from jobs.states import State
from metering.costs.allocation import allocate_hour
from metering.costs.queries import costs_of
from metering.models import Adjustment, ClosedMonth, EndpointHour, ObservedSource
from metering.spend.endpoints import EndpointSpend, endpoints_between, endpoints_by_day
from metering.spend.months import Month, months
from metering.spend.organisations import charged, movers
from metering.usage.ranges import HOUR
from serving.endpoints.services import ensure_endpoint
from tenants.models import Tenant
from tenants.scope import system_scope, tenant_scope

pytestmark = pytest.mark.django_db
UTC = dt.UTC
OCTOBER = (dt.datetime(2026, 10, 1, tzinfo=UTC), dt.datetime(2026, 11, 1, tzinfo=UTC))
SEPTEMBER = (dt.datetime(2026, 9, 1, tzinfo=UTC), OCTOBER[0])
NOON = dt.datetime(2026, 10, 5, 12, tzinfo=UTC)


def endpoints_of(start: dt.datetime, end: dt.datetime) -> Sequence[EndpointSpend]:
    with system_scope():
        return endpoints_between(start, end)


def hour(at: dt.datetime = NOON, *, price: str | None = "1") -> None:
    EndpointHour.objects.create(
        endpoint="shared", hour=at, up_ms=3_600_000, instance_ms=3_600_000, measured_until=at + HOUR,
        idle_policy="operator", price_per_hour=price and Decimal(price), price_source="a quote" if price else "",
    )  # fmt: skip
    if price:
        allocate_hour("shared", at)


@pytest.fixture
def used(count: Callable[..., int], record: Callable[..., Any], tenant: Tenant, other_tenant: Tenant) -> None:
    """A dear hour of two organisations in October, a cheap one of one in September, a job and a judge."""
    ensure_endpoint(
        name="shared",
        backend="default",
        base_model=BaseModel.objects.create(name="tiny-llama", title="Tiny", location="nowhere"),
    )
    told = {"endpoint": "shared", "queue_ms": 0.0, "busy_ms": 600_000.0, "key_id": ""}
    count(
        record(at=NOON.timestamp() + 60, **told),
        record(at=NOON.timestamp() + 90, tenant_id=str(other_tenant.id), **told),
        record(at=(NOON - dt.timedelta(days=30)).timestamp() + 60, **told),
    )
    hour()
    hour(NOON + HOUR, price=None)
    hour(NOON - dt.timedelta(days=30))
    with tenant_scope(tenant.id):
        Job.objects.create(kind="training", title="Train", state=State.SUCCEEDED, finished_at=NOON,
                           billable_seconds=360, usd_per_hour=Decimal(2))  # fmt: skip
        for paid_to, usd in ((PaidTo.SITE, "0.5"), (PaidTo.PROVIDER, "9")):
            JudgeUsage.objects.create(
                hour=NOON, purpose=CallPurpose.JUDGING, judge_key=paid_to, judge_name="J", paid_to=paid_to, calls=1,
                usd=Decimal(usd),
            )  # fmt: skip


def test_an_endpoint_is_borne_by_somebody(used: None) -> None:
    [one] = endpoints_of(*OCTOBER)
    assert (one.name, one.hours, one.hours_without_price) == ("shared", 2.0, 1)
    assert one.total == 1
    assert one.used == pytest.approx(Decimal(1) / 3, abs=Decimal("0.000001"))
    assert one.idle == 0
    assert not one.is_idle
    with system_scope():
        days = endpoints_by_day(*OCTOBER)
    assert {title: sum(amounts.values()) for title, amounts in days.items()} == {
        "Used": one.used, "Idle, charged": one.idle, "Not charged": one.operator,
    }  # fmt: skip
    assert list(days["Used"]) == [NOON.replace(hour=0)]


def test_organisations_are_charged_what_their_own_pages_say(used: None, tenant: Tenant, other_tenant: Tenant) -> None:
    with system_scope():
        found = charged(OCTOBER, SEPTEMBER)
    assert [one.tenant for one in found] == [tenant, other_tenant]
    first, second = found
    assert (first.jobs, first.judging, first.requests) == (Decimal("0.2"), Decimal("0.5"), 1)
    for one in found:
        with tenant_scope(one.tenant.id):
            assert one.total == costs_of(*OCTOBER).site_usd
            assert one.before == costs_of(*SEPTEMBER).site_usd
    [endpoint] = endpoints_of(*OCTOBER)
    assert first.serving + second.serving == endpoint.used + endpoint.idle
    assert movers(found, 1) == [first]
    assert second.change_share is None


def test_what_came_late_is_charged_and_not_borne_by_the_operator(
    used: None, count: Callable[..., int], record: Callable[..., Any], tenant: Tenant
) -> None:
    [before] = endpoints_of(*OCTOBER)
    with system_scope():
        [first_before, *_] = charged(OCTOBER, SEPTEMBER)
    ClosedMonth.objects.create(month=OCTOBER[0].date(), closed_at=OCTOBER[1])
    count(record(at=NOON.timestamp() + 99, endpoint="shared", queue_ms=0.0, busy_ms=600_000.0, key_id=""))
    allocate_hour("shared", NOON)
    with tenant_scope(tenant.id):
        [late] = Adjustment.objects.filter(kind="late")
    cost = Decimal(late.micros) / 1_000_000
    [after] = endpoints_of(*OCTOBER)
    assert cost > 0
    assert (after.total, after.used, after.operator) == (before.total, before.used + cost, before.operator - cost)
    with system_scope():
        days, found = endpoints_by_day(*OCTOBER), charged(OCTOBER, SEPTEMBER)
    assert sum(days["Used"].values()) == after.used
    assert sum(days["Not charged"].values()) == after.operator
    [first] = [one for one in found if one.tenant == tenant]
    assert first.serving == first_before.serving + cost
    assert sum(one.serving for one in found) == after.used + after.idle


def test_an_endpoint_that_nobody_uses_is_said(used: None) -> None:
    for number in range(24):
        hour(NOON + dt.timedelta(days=1, hours=number))
    [one] = endpoints_of(NOON + HOUR, OCTOBER[1])
    assert one.is_idle


def test_a_running_month_is_compared_with_the_same_days() -> None:
    now = dt.datetime(2026, 3, 30, 9, 30, tzinfo=UTC)
    month = Month.of("", now)
    assert (month.start, month.end, month.is_running) == (
        dt.datetime(2026, 3, 1, tzinfo=UTC), dt.datetime(2026, 3, 30, 10, tzinfo=UTC), True,
    )  # fmt: skip
    # February ends before.
    assert (month.before.start, month.before.end) == (dt.datetime(2026, 2, 1, tzinfo=UTC), month.start)
    over = Month.of("2026-02", now)
    assert (over.end, over.is_running) == (dt.datetime(2026, 3, 1, tzinfo=UTC), False)
    assert over.before.end == dt.datetime(2026, 1, 29, tzinfo=UTC)
    assert [one.key for one in months(now)][:3] == ["2026-03", "2026-02", "2026-01"]
    assert len(months(now)) == 13


@pytest.mark.parametrize("text", ["", "2026-13", "1999-01", "x" * 99, "2026-1", "２０２６-03"])
def test_a_month_that_is_none_is_this_one(text: str) -> None:
    assert Month.of(text, dt.datetime(2026, 3, 30, tzinfo=UTC)).key == "2026-03"


def test_the_page(as_olga: Client, used: None, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metering.spend.views.timezone.now", lambda: OCTOBER[1] + dt.timedelta(days=2))
    ObservedSource.objects.create(alias="cloudwatch", error_code="x", error_text="AWS refused the credentials.")
    page = as_olga.get("/operator/costs/").content.decode()
    assert "AWS refused the credentials." in page
    assert "No endpoint ran in this month" in page
    page = as_olga.get("/operator/costs/", {"month": "2026-10"}).content.decode()
    assert tenant.name in page
    assert "What has changed most" in page


def test_others_find_no_such_page(as_alice: Client) -> None:
    assert as_alice.get("/operator/costs/").status_code == 404
