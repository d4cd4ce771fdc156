"""Each threshold is told once a month, and of several at a time the highest."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.models import Job
from metering.alerts.kinds import FORECAST_EXCEEDED, THRESHOLD_REACHED
from metering.budgets.counting import Subject
from metering.budgets.services import change_budget, count_spend, delete_budget, set_budget
from metering.budgets.telling import tell
from metering.budgets.thresholds import THRESHOLDS, reached
from metering.models import Alert, AlertMail, Budget, Spend
from tenants.models import Tenant, User, WebhookEvent
from tenants.webhooks.services import create_webhook
from tests.examples import examples
from tests.metering.budgets.conftest import Clock

pytestmark = pytest.mark.django_db
ALL = Subject("all")
Run = Callable[..., Job]


@pytest.fixture
def budget(in_tenant: Tenant, clock: Clock) -> Budget:
    """100 dollars for everything."""
    return set_budget(tenant=in_tenant, subject=ALL, amount=Decimal(100), set_by=None)


def told() -> list[tuple[str, str, bool]]:
    """Kind, threshold or empty, and whether it is open; those that are open last."""
    found = [
        (one.kind, str(one.data.get("threshold_percent", "")), one.ended_at is None) for one in Alert.objects.all()
    ]
    return sorted(found, key=lambda one: (one[2], one))


def spend(budget: Budget, micros: int) -> Spend:
    month = dt.date(2026, 11, 1)
    return Spend(scope=budget.scope, value=budget.value, month=month, micros=micros, counted_at=budget.set_at)


@pytest.mark.parametrize(
    ("micros", "percent"),
    [(0, None), (49_999_999, None), (50_000_000, 50), (79_999_999, 50), (80_000_000, 80), (97_000_000, 95),
     (99_999_999, 95), (100_000_000, 100), (10**15, 100)],
)  # fmt: skip
def test_a_threshold_is_reached_exactly(micros: int, percent: int | None) -> None:
    assert reached(micros, 100_000_000) == percent


@pytest.mark.slow
@settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sums=st.lists(st.integers(0, 120_000_000), max_size=12))
def test_any_sequence_tells_each_once_and_the_highest(budget: Budget, sums: list[int]) -> None:
    Alert.objects.all().delete()
    highest = 0
    expected: list[int] = []
    for micros in sums:
        for _ in range(2):
            tell([(budget, spend(budget, micros))])
        percent = reached(micros, budget.amount_micros) or 0
        if percent > highest:
            highest = percent
            expected.append(percent)
        is_open = [one.data["threshold_percent"] for one in Alert.objects.open()]
        assert is_open == ([percent] if percent and percent == highest else [])
    found = sorted(one.data["threshold_percent"] for one in Alert.objects.all())
    assert found == expected
    assert set(found) <= set(THRESHOLDS)


def test_a_jump_tells_people_and_webhooks_once(
    budget: Budget, run: Run, in_tenant: Tenant, alice: User, settings: Any
) -> None:
    settings.SENDS_EMAIL, settings.EMBEDDED = True, True
    create_webhook(tenant=in_tenant, url="https://example.com/events")
    run("40")
    count_spend(tenant_id=in_tenant.id)
    assert told() == []
    run("57")
    for _ in range(3):
        count_spend(tenant_id=in_tenant.id)
    assert told() == [("budget", "95", True)]
    alert, event = Alert.objects.get(), WebhookEvent.objects.get()
    assert alert.title == "Everything: 97% of the budget used"
    assert "$97.00 of $100.00" in alert.text
    assert event.kind == "budget.threshold_reached"
    assert event.data == {
        "alert": str(alert.id), "budget": str(budget.id), "scope": "all", "adapter": None, "key": None,
        "month": "2026-11", "amount_usd": "100.000000", "spent_usd": "97.000000", "threshold_percent": 95,
    }  # fmt: skip
    assert event.data.keys() == THRESHOLD_REACHED.example.keys()
    # Bob is a member and Rita reviews.
    assert [mail.person for mail in AlertMail.objects.all()] == [alice]
    run("3")
    count_spend(tenant_id=in_tenant.id)
    assert told() == [("budget", "95", False), ("budget", "100", True)]


def test_chosen_members_are_told_instead(in_tenant: Tenant, clock: Clock, run: Run, bob: User, settings: Any) -> None:
    settings.SENDS_EMAIL = True
    run("60")
    set_budget(tenant=in_tenant, subject=ALL, amount=Decimal(100), recipients=[bob.pk], set_by=None)
    assert [mail.person for mail in AlertMail.objects.all()] == [bob]


def test_a_raised_amount_keeps_what_was_used_and_counts_thresholds_anew(budget: Budget, run: Run) -> None:
    run("90")
    count_spend(tenant_id=budget.tenant_id)
    change_budget(budget=budget, amount=Decimal(1000), set_by=None)
    assert Spend.objects.get().micros == 90_000_000
    assert told() == [("budget", "80", False)]
    run("420")
    count_spend(tenant_id=budget.tenant_id)
    assert told() == [("budget", "80", False), ("budget", "50", True)]


def test_a_new_month_begins_anew(budget: Budget, run: Run, clock: Clock) -> None:
    run("60")
    count_spend(tenant_id=budget.tenant_id)
    clock.set(2026, 12, 1, 0, 1)
    count_spend(tenant_id=budget.tenant_id)
    assert told() == [("budget", "50", False)]
    run("60")
    count_spend(tenant_id=budget.tenant_id)
    assert told() == [("budget", "50", False), ("budget", "50", True)]


def test_a_deleted_budgets_alerts_end(budget: Budget, run: Run) -> None:
    run("60")
    count_spend(tenant_id=budget.tenant_id)
    delete_budget(budget=budget)
    assert told() == [("budget", "50", False)]


def test_a_forecast_is_told_once_and_ends_with_the_budget_used_up(
    budget: Budget, run: Run, clock: Clock, in_tenant: Tenant, settings: Any
) -> None:
    settings.EMBEDDED = True
    create_webhook(tenant=in_tenant, url="https://example.com/events")
    for day in range(10, 16):
        run("4", finished_at=dt.datetime(2026, 11, day, tzinfo=dt.UTC))
    for _ in range(2):
        count_spend(tenant_id=in_tenant.id)
    # 24 dollars in six days; four more on each of fourteen and a half.
    assert told() == []
    change_budget(budget=budget, amount=Decimal(60), set_by=None)
    for _ in range(2):
        count_spend(tenant_id=in_tenant.id)
    assert told() == [("forecast", "", True)]
    event = WebhookEvent.objects.get()
    assert event.kind == "budget.forecast_exceeded"
    assert event.data.keys() == FORECAST_EXCEEDED.example.keys()
    assert (event.data["forecast_usd"], event.data["used_up_on"]) == ("82.000000", "2026-11-25")
    assert Alert.objects.get().title == "Everything: budget used up by 25 November"
    run("40")
    count_spend(tenant_id=in_tenant.id)
    assert told() == [("forecast", "", False), ("budget", "100", True)]
