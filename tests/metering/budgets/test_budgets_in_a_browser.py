"""Budgets and alerts in a real browser: readable by everybody, in both looks, on a desktop and a phone."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.utils import timezone
from playwright.sync_api import ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from jobs.models import Job
from metering.alerts.services import snooze_alert
from metering.budgets.counting import Subject
from metering.budgets.services import set_budget
from metering.models import Alert, Budget
from tenants.keys.services import create_api_key
from tenants.models import Tenant, User
from tests.browsing import browsing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

LOOKS: list[tuple[ViewportSize, Literal["light", "dark"]]] = [
    ({"width": 1280, "height": 720}, "dark"),
    ({"width": 390, "height": 844}, "light"),
]


def test_a_budget_is_changed_and_an_alert_acknowledged(
    live_server: LiveServer, as_alice: Client, alice: User, in_tenant: Tenant, run: Callable[..., Job]
) -> None:
    for day in range(1, 12):
        run("9.5", finished_at=timezone.now() - dt.timedelta(days=day))
    run("410")
    key, _ = create_api_key(tenant=in_tenant, name="Nightly batch of the whole archive")
    for subject, amount in ((Subject("all"), "500"), (Subject("key", str(key.id)), "20")):
        set_budget(tenant=in_tenant, subject=subject, amount=Decimal(amount), note="Agreed", set_by=alice)
    total = Budget.objects.get(scope="all")
    alert = Alert.objects.filter(kind="budget").get()
    snoozed = Alert.objects.filter(kind="forecast").first()
    if snoozed is not None:
        snooze_alert(alert=snoozed, until=timezone.now() + dt.timedelta(days=2))
    with browsing(live_server, as_alice) as page:
        addresses = ("/", "/usage/budgets/", "/usage/budgets/new/", f"/usage/budgets/{total.id}/", "/usage/alerts/",
                     "/usage/alerts/?show=all", f"/usage/alerts/{alert.id}/snooze/")  # fmt: skip
        for address in addresses:
            page.goto(address)
            for viewport, scheme in LOOKS:
                page.set_viewport_size(viewport)
                page.emulate_media(color_scheme=scheme)
                assert Axe().run(page).response["violations"] == [], address
                assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), address
        page.goto("/usage/budgets/")
        page.get_by_role("link", name="Everything").click()
        page.get_by_label("Amount in US dollars").fill("2000")
        page.get_by_role("button", name="Change budget").click()
        expect(page.get_by_text("Budget changed.")).to_be_visible()
        expect(page.get_by_test_id("budget").filter(has_text="Everything")).to_contain_text("of $2,000.00")
