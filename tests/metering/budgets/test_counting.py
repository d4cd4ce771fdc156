"""Budgets count what the usage page says, and tell of each threshold once."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from adapters.models import AdapterVersion
from jobs.models import Job
from jobs.states import State
from metering.alerts import mail as alert_mail
from metering.alerts.mail import send_alerts
from metering.alerts.queries import open_alerts
from metering.alerts.services import acknowledge, reopen, snooze
from metering.budgets import counting
from metering.budgets.counting import count_all_budgets
from metering.budgets.services import change_budget, create_budget, delete_budget
from metering.costs.allocation import allocate_hour
from metering.costs.queries import costs_of
from metering.models import Alert, Budget, BudgetMonth, EndpointHour, Grain
from metering.usage.ranges import begin_of, next_of
from rest.errors import Conflict, PortalError
from tenants.keys.services import create_api_key
from tenants.models import AuditEvent, Tenant, User, WebhookEvent
from tenants.scope import tenant_scope
from tenants.webhooks.services import create_webhook

pytestmark = pytest.mark.django_db
Add = Callable[..., Budget]


def spend(usd: str, **changes: Any) -> Job:
    """A job that ended just now."""
    plain = {"kind": "training", "title": "Train", "state": State.SUCCEEDED, "finished_at": timezone.now(),
             "billable_seconds": 3600.0, "usd_per_hour": Decimal(usd)}  # fmt: skip
    job: Job = Job.objects.create(**{**plain, **changes})
    return job


@pytest.fixture
def add(in_tenant: Tenant, alice: User) -> Add:
    def make(usd: str = "100", by: str = "", value: str = "") -> Budget:
        return create_budget(tenant=in_tenant, by=by, value=value, usd=Decimal(usd), created_by=alice)

    return make


def month() -> BudgetMonth:
    return BudgetMonth.objects.get()


def titles() -> list[str]:
    return list(Alert.objects.order_by("created_at").values_list("title", flat=True))


def test_a_new_budget_begins_with_what_the_month_has_spent(add: Add) -> None:
    spend("12.3456")
    add()
    assert month().spent == Decimal("12.3456")
    start = begin_of(Grain.MONTH, timezone.now())
    assert month().spent == costs_of(start, next_of(Grain.MONTH, start)).site_usd


def test_each_threshold_is_told_once_and_a_jump_tells_the_highest(add: Add, in_tenant: Tenant) -> None:
    create_webhook(tenant=in_tenant, url="https://example.com/")
    add()
    spend("40")
    assert count_all_budgets() >= 1
    assert titles() == []
    spend("57")
    for _ in range(3):
        count_all_budgets()
    assert titles() == ["95% of the budget for everything is used"]
    spend("10")
    count_all_budgets()
    assert titles()[1:] == ["100% of the budget for everything is used"]
    events = WebhookEvent.objects.filter(kind="budget.threshold_reached").order_by("created_at")
    assert [event.data["threshold_percent"] for event in events] == [95, 100]
    assert events[0].data["spent_usd"] == "97.000000"


def test_a_count_that_dies_tells_nothing_and_the_next_does(add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    add()
    spend("60")

    def die(*args: object, **kwargs: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as dying:
        dying.setattr(BudgetMonth, "save", die)
        with pytest.raises(RuntimeError):
            count_all_budgets()
    assert titles() == []
    count_all_budgets()
    assert titles() == ["50% of the budget for everything is used"]


def test_another_amount_keeps_what_is_spent_and_tells_anew(add: Add) -> None:
    budget = add()
    spend("60")
    count_all_budgets()
    change_budget(budget=budget, usd=Decimal(1000))
    count_all_budgets()
    assert len(titles()) == 1
    change_budget(budget=budget, usd=Decimal(70))
    assert titles()[1:] == ["80% of the budget for everything is used"]
    assert month().spent == 60


def test_of_a_model_its_serving_and_its_jobs(
    add: Add, hold: Callable[..., AdapterVersion], in_tenant: Tenant, record: Any, count: Callable[..., int]
) -> None:
    version, other = hold(in_tenant, "legal"), hold(in_tenant, "clinic")
    now = timezone.now()
    Job.objects.filter(id=version.run.job_id).update(finished_at=now, billable_seconds=3600, usd_per_hour=2)
    Job.objects.filter(id=other.run.job_id).update(finished_at=now, billable_seconds=3600, usd_per_hour=9)
    key, _ = create_api_key(tenant=in_tenant, name="app")
    told = {"endpoint": "shared", "queue_ms": 0.0, "busy_ms": 1_800_000.0, "at": now.timestamp()}
    count(record(alias="legal", version_id=str(version.id), key_id=str(key.id), **told), record(alias="clinic", **told))
    hour = begin_of(Grain.HOUR, now)
    EndpointHour.objects.create(endpoint="shared", hour=hour, up_ms=3_600_000, instance_ms=3_600_000,
                                measured_until=now, price_per_hour=1, idle_policy="operator")  # fmt: skip
    budget = add(by="model", value="legal")
    assert month().unknown == 1
    counting.count_month(budget, begin_of(Grain.MONTH, now), now)
    allocate_hour("shared", hour)
    count_all_budgets()
    assert (month().spent, month().unknown) == (Decimal("2.5"), 0)
    delete_budget(budget=budget)
    add(by="key", value=str(key.id))
    assert month().spent == Decimal("0.5")


def test_what_will_be_used_up_is_told_once(add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    now = begin_of(Grain.MONTH, timezone.now()) + dt.timedelta(days=4)
    for day in range(4):
        spend("10", finished_at=begin_of(Grain.MONTH, now) + dt.timedelta(days=day))
    monkeypatch.setattr("metering.budgets.counting.timezone.now", lambda: now)
    budget = add("150")
    BudgetMonth.objects.all().delete()
    Alert.objects.all().delete()
    for _ in range(2):
        counting.count_month(budget, begin_of(Grain.MONTH, now), now)
    assert len(titles()) == 1
    assert "may be used up on 15" in titles()[0]
    assert month().forecast is not None


def test_owners_get_an_e_mail_once(add: Add, settings: Settings, monkeypatch: pytest.MonkeyPatch, alice: User) -> None:
    add()
    spend("60")
    count_all_budgets()
    assert send_alerts() == 0
    settings.SENDS_EMAIL = True

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError

    with monkeypatch.context() as failing:
        failing.setattr(alert_mail, "send_mail", fail)
        assert send_alerts() == 0
    assert send_alerts() == 1
    assert send_alerts() == 0
    [sent] = mail.outbox
    assert sent.to == [alice.email]
    assert sent.subject == "50% of the budget for everything is used"
    assert "/usage/alerts/" in sent.body
    Alert.objects.update(mailed_at=None, created_at=timezone.now() - dt.timedelta(days=2))
    assert send_alerts() == 0


def test_an_alert_is_handled_and_that_is_recorded(add: Add, alice: User) -> None:
    add()
    spend("60")
    count_all_budgets()
    alert = open_alerts().get()
    snooze(alert=alert, until=timezone.now() + dt.timedelta(days=1))
    assert not open_alerts().exists()
    reopen(alert=alert)
    assert open_alerts().count() == 1
    acknowledge(alert=alert, person=alice, note="Known")
    with pytest.raises(Conflict):
        acknowledge(alert=alert, person=alice)
    with pytest.raises(Conflict):
        snooze(alert=alert, until=timezone.now() + dt.timedelta(days=1))
    actions = AuditEvent.objects.filter(action__startswith="alert.").order_by("sequence")
    assert [event.action for event in actions] == ["alert.snoozed", "alert.reopened", "alert.acknowledged"]
    for days in (-1, 91):
        with pytest.raises(PortalError):
            snooze(alert=alert, until=timezone.now() + dt.timedelta(days=days))


@pytest.mark.parametrize("usd", ["0", "-1", "0.001", "1e30", "NaN", "Infinity"])
def test_an_amount_that_is_none_is_refused(add: Add, usd: str) -> None:
    with pytest.raises(PortalError):
        add(usd)


@pytest.mark.parametrize(
    ("by", "value"),
    [
        ("", "x"),
        ("model", ""),
        ("model", "none"),
        ("key", "x"),
        ("key", "8d1f7f0e-2f0c-4c8e-9c55-2a5ad2f3c0b1"),
        ("version", "x"),
        ("colour", ""),
    ],
)
def test_a_budget_is_for_something_that_is_there(add: Add, by: str, value: str) -> None:
    with pytest.raises(PortalError):
        add(by=by, value=value)


def test_there_is_one_for_each(add: Add) -> None:
    add()
    with pytest.raises(Conflict):
        add()


def test_a_strangers_key_is_no_key(add: Add, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant.id):
        key, _ = create_api_key(tenant=other_tenant, name="theirs")
    with pytest.raises(PortalError):
        add(by="key", value=str(key.id))


def test_owners_manage_members_look(as_alice: Client, as_bob: Client, tenant: Tenant) -> None:
    assert as_bob.post("/usage/budgets/new/", {"scope": "", "usd": "10"}).status_code == 403
    assert as_alice.post("/usage/budgets/new/", {"scope": "", "usd": "10", "note": "<b>"}).status_code == 302
    page = as_bob.get("/usage/budgets/").content.decode()
    assert "$0.00 of $10.00" in page
    assert "&lt;b&gt;" in page
    assert "Add budget" not in page
    with tenant_scope(tenant.id):
        spend("9")
    count_all_budgets()
    assert "80% of the budget for everything is used" in as_bob.get("/usage/alerts/").content.decode()
    with tenant_scope(tenant.id):
        alert = Alert.objects.get()
    assert as_bob.post(f"/usage/alerts/{alert.id}/acknowledge/", {"note": "ok"}).status_code == 302
    assert "Acknowledged" in as_alice.get("/usage/alerts/").content.decode()


def test_over_rest(api: APIClient, other_api: APIClient, tenant: Tenant) -> None:
    made = api.post("/api/v1/budgets/", {"usd": "10.50"}, format="json").json()
    assert (made["by"], made["usd"], made["spent_usd"], made["share"]) == ("", "10.50", "0.000000", 0.0)
    assert api.get("/api/v1/budgets/").json() == [made]
    assert api.put(f"/api/v1/budgets/{made['id']}/", {"usd": "20"}, format="json").json()["usd"] == "20.00"
    assert other_api.get(f"/api/v1/budgets/{made['id']}/").status_code == 404
    assert api.post("/api/v1/budgets/", {"usd": "0"}, format="json").json()["code"] == "budget:amount"
    assert api.delete(f"/api/v1/budgets/{made['id']}/").status_code == 204
