"""Budgets and alerts over REST and on their pages: bad input, strangers, permissions, the audit trail."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from adapters.models import AdapterVersion
from jobs.models import Job
from metering.alerts.services import acknowledge_alert, open_alert, snooze_alert
from metering.budgets.counting import Subject
from metering.budgets.services import count_spend, set_budget
from metering.models import Alert, AlertKind, AlertMail, Budget
from tenants.keys.services import create_api_key
from tenants.models import AuditEvent, Tenant, User
from tenants.scope import tenant_scope
from tests.metering.budgets.conftest import Clock

pytestmark = pytest.mark.django_db
BUDGETS, ALERTS = "/api/v1/budgets/", "/api/v1/alerts/"
Run = Callable[..., Job]


def text_of(client: Client, address: str) -> str:
    return " ".join(client.get(address).content.decode().split("<main")[1].split())


def test_a_budget_over_rest_from_first_to_last(api: APIClient, tenant: Tenant, clock: Clock, run: Run) -> None:
    run("12.5")
    made = api.post(BUDGETS, {"amount_usd": "50.00", "note": " From\nfinance "}, format="json")
    assert made.status_code == 201
    assert {name: made.data[name] for name in ("scope", "adapter", "key", "amount_usd", "note", "spent_usd")} == {
        "scope": "all", "adapter": None, "key": None, "amount_usd": "50.00", "note": "From finance",
        "spent_usd": "12.500000",
    }  # fmt: skip
    assert (made.data["month"], made.data["used_percent"], made.data["forecast_usd"]) == ("2026-11-01", 25.0, None)
    address = f"{BUDGETS}{made.data['id']}/"
    changed = api.patch(address, {"amount_usd": "25"}, format="json")
    assert (changed.data["used_percent"], changed.data["note"]) == (50.0, "From finance")
    assert api.get(BUDGETS).data["results"] == [changed.data]
    [alert] = api.get(f"{ALERTS}?is_open=true").data["results"]
    assert alert["data"]["threshold_percent"] == 50
    assert api.post(BUDGETS, {"amount_usd": "1"}, format="json").data["code"] == "budget:exists"
    assert api.delete(address).status_code == 204
    assert api.get(f"{ALERTS}?is_open=true").data["results"] == []
    with tenant_scope(tenant.id):
        actions = list(AuditEvent.objects.filter(action__startswith="budget.").values_list("action", flat=True))
    assert sorted(actions) == ["budget.changed", "budget.deleted", "budget.set"]


def test_who_is_told_is_chosen_by_address(
    api: APIClient, tenant: Tenant, alice: User, bob: User, run: Run, clock: Clock, settings: Settings
) -> None:
    settings.SENDS_EMAIL = True
    made = api.post(BUDGETS, {"amount_usd": "50", "recipients": [bob.email.upper()]}, format="json")
    assert (made.status_code, made.data["recipients"]) == (201, [bob.email])
    address = f"{BUDGETS}{made.data['id']}/"
    assert api.patch(address, {"amount_usd": "20"}, format="json").data["recipients"] == [bob.email]
    both = api.patch(address, {"recipients": [bob.email, alice.email, bob.email]}, format="json")
    assert both.data["recipients"] == sorted([alice.email, bob.email])
    api.patch(address, {"recipients": [bob.email]}, format="json")
    run("15")
    count_spend(tenant_id=tenant.id)
    with tenant_scope(tenant.id):
        assert [mail.person for mail in AlertMail.objects.all()] == [bob]
        bob.memberships.all().delete()
    assert api.get(address).data["recipients"] == []
    assert api.patch(address, {"recipients": []}, format="json").status_code == 200


def test_only_members_who_may_see_usage_can_be_told(
    api: APIClient, in_tenant: Tenant, rita: User, other_tenant: Tenant, charlie: User
) -> None:
    for body in (
        [rita.email], [charlie.email], ["nobody@example.com"], ["no address"], [None], [""], "x", [["a@b.example"]],
    ):  # fmt: skip
        answer = api.post(BUDGETS, {"amount_usd": "5", "recipients": body}, format="json")
        assert answer.status_code == 400, body
        told = answer.json()
        assert told.get("field", told.get("errors", [{}])[0].get("field", "")).startswith("recipients"), body
    assert not Budget.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"amount_usd": "0"}, 400),
        ({"amount_usd": "-1"}, 400),
        ({"amount_usd": "1e30"}, 400),
        ({"amount_usd": "0.001"}, 400),
        ({"amount_usd": "1.005"}, 400),
        ({"amount_usd": "NaN"}, 400),
        ({"amount_usd": "Infinity"}, 400),
        ({"amount_usd": ""}, 400),
        ({}, 400),
        ({"amount_usd": "5", "note": "x" * 301}, 400),
        ({"amount_usd": "5", "adapter": "nobody"}, 404),
        ({"amount_usd": "5", "key": str(uuid4())}, 404),
        ({"amount_usd": "5", "key": "none"}, 400),
        ({"amount_usd": "5", "key": str(uuid4()), "adapter": "nobody"}, 400),
    ],
)
def test_bad_input_is_refused(api: APIClient, in_tenant: Tenant, body: dict[str, str], status: int) -> None:
    assert api.post(BUDGETS, body, format="json").status_code == status
    assert not Budget.objects.exists()


def test_a_strangers_key_and_adapter_are_not_found(
    api: APIClient, other_tenant: Tenant, hold: Callable[..., AdapterVersion]
) -> None:
    hold(other_tenant, "theirs")
    with tenant_scope(other_tenant.id):
        key, _ = create_api_key(tenant=other_tenant, name="theirs")
    for named in ({"key": str(key.id)}, {"adapter": "theirs"}):
        assert api.post(BUDGETS, {"amount_usd": "5", **named}, format="json").status_code == 404


def test_members_see_budgets_and_owners_set_them(
    as_alice: Client, as_bob: Client, as_rita: Client, in_tenant: Tenant, alice: User, bob: User
) -> None:
    new = reverse("budgets:new")
    assert as_rita.get(reverse("budgets:list")).status_code == 403
    assert "Owners of your organisation can set budgets." in text_of(as_bob, reverse("budgets:list"))
    assert as_bob.post(new, {"subject": "all:", "amount": "5"}).status_code == 403
    sent = {"subject": "all:", "amount": "5", "note": "Ours", "recipients": [str(bob.pk)]}
    assert as_alice.post(new, sent).status_code == 302
    budget = Budget.objects.get()
    assert (budget.set_by, budget.amount_micros, budget.recipients) == (alice, 5_000_000, [bob.pk])
    page = text_of(as_bob, reverse("budgets:list"))
    for part in ("$0.00 of $5.00", "too early to tell", "by Alice", "calendar months in UTC", "Ours"):
        assert part in page, part
    assert "Set budget" not in page
    change = reverse("budgets:change", args=[budget.id])
    assert as_bob.get(change).status_code == 403
    assert "Enter an amount from 0.01" in " ".join(as_alice.post(change, {"amount": "0"}).content.decode().split())
    assert as_alice.post(change, {"amount": "9"}).status_code == 302
    assert "Delete this budget?" in as_alice.get(change).content.decode()
    assert as_bob.post(reverse("budgets:delete", args=[budget.id])).status_code == 403
    assert as_alice.post(reverse("budgets:delete", args=[budget.id])).status_code == 302
    assert not Budget.objects.exists()


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"subject": "adapter:nobody", "amount": "5"}, "Select a valid choice"),
        ({"subject": "all:", "amount": "1e30"}, "Enter an amount from"),
        ({"subject": "all:", "amount": "5", "recipients": "999999"}, "Select a valid choice"),
    ],
)
def test_the_form_says_what_is_wrong(as_alice: Client, in_tenant: Tenant, sent: dict[str, str], said: str) -> None:
    assert said in as_alice.post(reverse("budgets:new"), sent).content.decode()
    assert not Budget.objects.exists()


def test_a_deleted_keys_budget_is_still_listed(as_alice: Client, in_tenant: Tenant) -> None:
    key, _ = create_api_key(tenant=in_tenant, name="Batch")
    set_budget(tenant=in_tenant, subject=Subject("key", str(key.id)), amount=Decimal(5), set_by=None)
    assert "API key Batch" in text_of(as_alice, reverse("budgets:list"))
    key.delete()
    assert "Deleted key" in text_of(as_alice, reverse("budgets:list"))


def alert_of(subject: str = "") -> Alert:
    return open_alert(
        kind=AlertKind.BUDGET, subject=subject, occasion="1", title="Cost is <high>", text="It is.", data={}
    )


def test_an_alert_is_acknowledged_snoozed_and_reopened(as_bob: Client, in_tenant: Tenant, bob: User) -> None:
    alert = alert_of()
    assert "1 open alert</a> about budgets and usage" in text_of(as_bob, "/")
    page = text_of(as_bob, reverse("alerts:list"))
    assert "Cost is &lt;high&gt;" in page
    as_bob.post(reverse("alerts:acknowledge", args=[alert.id]), {"note": "On it."})
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.note) == (bob, "On it.")
    assert "by Bob" in text_of(as_bob, reverse("alerts:list"))
    assert "about budgets and usage" not in text_of(as_bob, "/")
    as_bob.post(reverse("alerts:reopen", args=[alert.id]))
    assert "about budgets and usage" in text_of(as_bob, "/")
    past = as_bob.post(reverse("alerts:snooze", args=[alert.id]), {"until": "2001-01-01T00:00"}).content.decode()
    assert "Choose a time from now to 90 days ahead." in past
    snooze_alert(alert=alert, until=timezone.now() + dt.timedelta(hours=1))
    assert "about budgets and usage" not in text_of(as_bob, "/")
    Alert.objects.update(snoozed_until=timezone.now() - dt.timedelta(seconds=1))
    assert "about budgets and usage" in text_of(as_bob, "/")
    recorded = AuditEvent.objects.filter(action__startswith="alert.").values_list("action", flat=True)
    assert sorted(recorded) == ["alert.acknowledged", "alert.reopened", "alert.snoozed"]


def test_alerts_over_rest(api: APIClient, other_api: APIClient, in_tenant: Tenant) -> None:
    alert = alert_of()
    address = f"{ALERTS}{alert.id}/"
    until = (timezone.now() + dt.timedelta(days=2)).isoformat()
    assert api.post(f"{address}acknowledge/", {"note": "Seen."}, format="json").data["note"] == "Seen."
    assert api.post(f"{address}snooze/", {"until": until}, format="json").data["snoozed_until"] is not None
    too_far = (timezone.now() + dt.timedelta(days=91)).isoformat()
    refused: dict[str, Any] = api.post(f"{address}snooze/", {"until": too_far}, format="json").data
    assert (refused["code"], refused["field"]) == ("alert:wrong_value", "until")
    assert api.post(f"{address}reopen/").data["acknowledged_at"] is None
    assert [one["id"] for one in api.get(f"{ALERTS}?kind=budget").data["results"]] == [str(alert.id)]
    assert api.get(f"{ALERTS}?kind=forecast").data["results"] == []
    assert other_api.get(address).status_code == 404
    assert other_api.get(ALERTS).data["results"] == []


def test_long_lists_take_few_queries(
    as_alice: Client, in_tenant: Tenant, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for index in range(12):
        key, _ = create_api_key(tenant=in_tenant, name=f"key {index}")
        set_budget(tenant=in_tenant, subject=Subject("key", str(key.id)), amount=Decimal(5), set_by=alice)
        acknowledge_alert(alert=alert_of(str(index)), by=alice)
    for address in (reverse("budgets:list"), reverse("alerts:list")):
        with django_assert_max_num_queries(12):
            as_alice.get(address)
