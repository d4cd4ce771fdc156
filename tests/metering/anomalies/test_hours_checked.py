"""An unusual hour opens one alert, which continues and ends by itself."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from metering.alerts.kinds import ANOMALY
from metering.anomalies.hours import tenants_to_check
from metering.anomalies.services import check_hour, last_full_hour
from metering.ledger.sketches import sketch_of
from metering.models import Alert, By, Grain, HourlyUsage, UsageTotal
from tenants.models import Tenant, WebhookEvent
from tenants.scope import tenant_scope
from tenants.webhooks.services import create_webhook
from tests.metering.budgets.conftest import Clock

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
NOON = dt.datetime(2026, 11, 16, 12, tzinfo=dt.UTC)


def hour(start: dt.datetime, model: str, *, p95: float = 500.0, failed: int = 0, usd: float = 1.0, **also: Any) -> None:
    """400 requests of a model in an hour, added to all together."""
    latencies = np.linspace(p95 / 2, p95, 400 - failed)
    values = {
        "requests": 400, "failed": failed, "used_micros": int(usd * 1e6), "latency_sketch": sketch_of(latencies), **also
    }  # fmt: skip
    HourlyUsage.objects.create(hour=start, alias=model, version_key="", endpoint="shared", key="", **values)
    total, _ = UsageTotal.objects.get_or_create(by=By.ALL, grain=Grain.HOUR, start=start, value="")
    sums = {name: getattr(total, name) + value for name, value in values.items() if name != "latency_sketch"}
    sketch = bytes(total.latency_sketch) + values["latency_sketch"]
    UsageTotal.objects.filter(by=By.ALL, grain=Grain.HOUR, start=start, value="").update(latency_sketch=sketch, **sums)


@pytest.fixture
def usual(in_tenant: Tenant) -> Callable[[dt.datetime], None]:
    """The past eight weeks at an hour, of two models."""

    def make(start: dt.datetime) -> None:
        for week in range(1, 9):
            for model in ("legal", "tickets"):
                hour(start - dt.timedelta(days=7 * week), model, p95=500.0 + week, failed=4, usd=1 + week / 100)

    return make


@pytest.fixture
def check(in_tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> Callable[[dt.datetime], list[tuple[str, str, bool]]]:
    """Look at an hour when it is over. Returns kind, model and whether it is open of all alerts."""
    clock = Clock(NOON)
    monkeypatch.setattr("django.utils.timezone.now", lambda: clock.now)

    def run(start: dt.datetime) -> list[tuple[str, str, bool]]:
        clock.now = start + HOUR + dt.timedelta(minutes=7)
        assert last_full_hour() == start
        for _ in range(2):
            check_hour(tenant_id=in_tenant.id, start=start)
        return sorted((one.kind, one.subject, one.ended_at is None) for one in Alert.objects.all())

    return run


Usual = Callable[[dt.datetime], None]
Check = Callable[[dt.datetime], list[tuple[str, str, bool]]]


def test_a_tripling_is_told_once_continues_and_ends(
    in_tenant: Tenant, usual: Usual, check: Check, settings: Any
) -> None:
    settings.EMBEDDED = True
    create_webhook(tenant=in_tenant, url="https://example.com/events")
    for index in range(4):
        usual(NOON + index * HOUR)
        hour(NOON + index * HOUR, "tickets", failed=4)
    hour(NOON, "legal", failed=4)
    assert check(NOON) == []
    hour(NOON + HOUR, "legal", p95=1500.0, failed=4)
    # All together are as slow, but one alert is enough.
    assert check(NOON + HOUR) == [("latency", "legal", True)]
    hour(NOON + 2 * HOUR, "legal", p95=1500.0, failed=4)
    assert check(NOON + 2 * HOUR) == [("latency", "legal", True)]
    event = WebhookEvent.objects.get()
    assert event.kind == "usage.anomaly"
    assert event.data.keys() == ANOMALY.example.keys()
    assert (event.data["model"], event.data["hour"], event.data["requests"]) == ("legal", "2026-11-16T13:00:00Z", 400)
    assert event.data["value"] == pytest.approx(1475, rel=0.03)
    assert "On a Monday at that time it usually is" in Alert.objects.get().text
    hour(NOON + 3 * HOUR, "legal", failed=4)
    assert check(NOON + 3 * HOUR) == [("latency", "legal", False)]


def test_what_comes_back_soon_is_the_same_and_later_another(in_tenant: Tenant, usual: Usual, check: Check) -> None:
    for index, p95 in ((0, 1500.0), (1, 500.0), (2, 1500.0), (3, 500.0), (20, 1500.0)):
        usual(NOON + index * HOUR)
        hour(NOON + index * HOUR, "legal", p95=p95, failed=4)
        found = check(NOON + index * HOUR)
        assert [one for one in found if one[2]] == ([("latency", "legal", True)] if p95 > 500 else [])
    assert found == [("latency", "legal", False), ("latency", "legal", True)]


def test_failures_and_cost_have_alerts_of_their_own(usual: Usual, check: Check) -> None:
    usual(NOON)
    hour(NOON, "tickets", failed=4)
    hour(NOON, "legal", failed=60, usd=3.3)
    assert check(NOON) == [("cost", "legal", True), ("errors", "legal", True)]
    titles = {one.title for one in Alert.objects.all()}
    assert titles == {"legal: cost is unusually high", "legal: unusually many requests fail"}


def test_all_together_are_told_where_no_model_is(in_tenant: Tenant, check: Check) -> None:
    for week in range(1, 9):
        hour(NOON - dt.timedelta(days=7 * week), "legal")
    for model in ("new-1", "new-2", "new-3"):
        hour(NOON, model, failed=4)
    assert check(NOON) == [("cost", "", True)]


def test_a_cost_that_is_not_known_neither_opens_nor_ends(usual: Usual, check: Check) -> None:
    for index in range(2):
        usual(NOON + index * HOUR)
    hour(NOON, "legal", usd=9.0, failed=4)
    assert check(NOON) == [("cost", "legal", True)]
    hour(NOON + HOUR, "legal", usd=0.0, unpriced=400, failed=4)
    assert check(NOON + HOUR) == [("cost", "legal", True)]


def test_without_requests_it_ends_after_a_day(in_tenant: Tenant, usual: Usual, check: Check) -> None:
    usual(NOON)
    hour(NOON, "legal", p95=1500.0, failed=4)
    assert check(NOON) == [("latency", "legal", True)]
    assert check(NOON + 23 * HOUR) == [("latency", "legal", True)]
    assert tenants_to_check(NOON + 24 * HOUR) == [in_tenant.id]
    assert check(NOON + 24 * HOUR) == [("latency", "legal", False)]
    assert tenants_to_check(NOON + 25 * HOUR) == []


def test_strangers_hours_are_not_compared(in_tenant: Tenant, other_tenant: Tenant, usual: Usual, check: Check) -> None:
    usual(NOON)
    with tenant_scope(other_tenant.id):
        hour(NOON, "legal", p95=9000.0)
    assert check(NOON) == []
    assert tenants_to_check(NOON) == [other_tenant.id]
