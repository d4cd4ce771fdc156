"""A rubric is added from a template in a real browser, and its page is usable by everybody."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from tenants.models import Tenant
from tests.browsing import PHONE, browsing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 720}, PHONE], ids=["desktop", "phone"])
def test_from_a_template_to_its_prompts(
    live_server: LiveServer, as_alice: Client, tenant: Tenant, viewport: dict[str, int]
) -> None:
    with browsing(live_server, as_alice, viewport=viewport) as page:
        page.goto("/evaluations/rubrics/")
        page.get_by_role("link", name="Legal clauses").click()
        page.get_by_role("button", name="Add rubric").click()
        expect(page.get_by_text("What the judge is asked")).to_be_visible()
        found = Axe().run(page).response["violations"]
        width = page.evaluate("document.documentElement.scrollWidth")
    assert [(problem["id"], problem["nodes"][0]["target"]) for problem in found] == []
    assert width <= viewport["width"]
