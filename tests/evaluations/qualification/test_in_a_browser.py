"""A judge is tested in a real browser, and the result is usable by everybody."""

import threading
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connections
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from evaluations.models import Judge
from evaluations.qualification.services import start_qualification
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.browsing import DESKTOP, browsing, looks
from tests.evaluations.judges.scripted_model import ScriptedModel
from tests.evaluations.qualification.behaviours import obedient
from tests.evaluations.qualification.conftest import speaking

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def address(tenant: Tenant, judge: Judge, model: ScriptedModel, run_jobs: Callable[..., None]) -> str:
    """The page of a judge that was tested twice and obeys commands."""
    model.says = speaking(obedient)
    with tenant_scope(tenant.id):
        for _ in range(2):
            start_qualification(tenant=tenant, judge=judge)
            run_jobs()
    return reverse("evaluations:judge", args=[judge.id])


def problems(page: Page) -> list[tuple[str, list[str]]]:
    found = Axe().run(page).response["violations"]
    return [(problem["id"], problem["nodes"][0]["target"]) for problem in found]


def test_the_result_can_be_read_by_everybody(live_server: LiveServer, as_alice: Client, address: str) -> None:
    with browsing(live_server, as_alice) as page:
        for look in looks(page):
            page.goto(address)
            expect(page.get_by_test_id("bar-lift").get_by_text("Bad")).to_be_visible()
            page.get_by_test_id("example").first.locator("summary").click()
            expect(page.get_by_test_id("example").first.get_by_text("Read injected.")).to_be_visible()
            assert problems(page) == [], look
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), look


def test_a_started_test_is_followed_to_its_end(
    live_server: LiveServer, as_alice: Client, judge: Judge, run_jobs: Callable[..., None]
) -> None:
    def work() -> None:
        run_jobs()
        connections.close_all()

    worker = threading.Thread(target=work)
    with browsing(live_server, as_alice, viewport=DESKTOP) as page:
        page.goto(reverse("evaluations:judge", args=[judge.id]))
        page.get_by_role("button", name="Test judge").click()
        expect(page.get_by_test_id("test-running")).to_be_visible()
        assert problems(page) == []
        worker.start()
        expect(page.get_by_test_id("bar-accuracy").get_by_text("Good")).to_be_visible(timeout=120_000)
        worker.join()
