"""A judge is tried in a real browser, and its pages are usable by everybody."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from evaluations.judges.services import create_judge
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.browsing import PHONE, browsing
from tests.evaluations.judges.scripted_model import ScriptedModel, openai_server, verdict

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

DESKTOP = {"width": 1280, "height": 720}


@pytest.fixture
def address(tenant: Tenant, settings: Settings) -> Iterator[str]:
    """The page of a judge."""
    settings.EMBEDDED = True
    model = ScriptedModel()
    model.in_turn(verdict(2, "The notice period is 60 days instead of 30.", probabilities={2: 0.9, 3: 0.1}))
    with openai_server(model) as url, tenant_scope(tenant.id):
        judge = create_judge(
            tenant=tenant, name="GPT, strict", kind="openai", model="grader", address=url, secret="sk-1"
        )
        yield reverse("evaluations:judge", args=[judge.id])


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_trial_appears_on_the_page(
    live_server: LiveServer, as_alice: Client, address: str, viewport: dict[str, int], scheme: str
) -> None:
    with browsing(live_server, as_alice, viewport=viewport, color_scheme=scheme) as page:
        page.goto(address)
        page.get_by_role("button", name="Try judge").click()
        expect(page.get_by_test_id("trial-verdict")).to_contain_text("2.10 of 5")
        expect(page.get_by_text("--- EXPECTED ANSWER")).to_be_visible()
        found = Axe().run(page).response["violations"]
        width = page.evaluate("document.documentElement.scrollWidth")
    assert [(problem["id"], problem["nodes"][0]["target"]) for problem in found] == []
    assert width <= viewport["width"]
