"""A canary in a real browser: chosen in the dialog, watched on its page, stopped there."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from adapters.models import AdapterVersion
from serving.promotions.services import promote_version
from serving.trials.services import TrialPlan
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.browsing import DESKTOP, browsing, looks
from tests.serving.memory_endpoint import MemoryEndpoint
from tests.serving.trials.conftest import saw, step, until_tried

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
MakeVersion = Callable[..., AdapterVersion]


@pytest.fixture
def second(
    memory: MemoryEndpoint, unasked: None, tenant: Tenant, make_version: MakeVersion, run_jobs: Callable[..., None]
) -> AdapterVersion:
    """The second version of `legal`, whose first is live."""
    first, second = make_version(tenant, "legal", 1), make_version(tenant, "legal", 2)
    with tenant_scope(tenant.id):
        promote_version(tenant=tenant, version=first, created_by=None)
    run_jobs()
    return second


def problems(page: Page) -> list[tuple[str, list[str]]]:
    found = Axe().run(page).response["violations"]
    return [(problem["id"], problem["nodes"][0]["target"]) for problem in found]


def test_a_trial_can_be_read_by_everybody(
    live_server: LiveServer, as_alice: Client, tenant: Tenant, second: AdapterVersion
) -> None:
    plan = TrialPlan(percent=10, minutes=60)
    addresses = [f"/adapters/versions/{second.id}/", "/serving/"]
    with tenant_scope(tenant.id):
        promote_version(tenant=tenant, version=second, created_by=None, canary=plan)
        trial = until_tried()
        trial.slow_ms = 480.0
        trial.save()
        saw(trial, candidate=(70, 4), live=(630, 19))
        step()
        addresses.append(f"/serving/trials/{trial.id}/")
    with browsing(live_server, as_alice) as page:
        for look in looks(page):
            for address in addresses:
                page.goto(address)
                assert problems(page) == [], (address, look)
                assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (address, look)


def test_a_canary_is_chosen_and_stopped(
    live_server: LiveServer, as_alice: Client, tenant: Tenant, second: AdapterVersion
) -> None:
    with browsing(live_server, as_alice, viewport=DESKTOP) as page:
        page.goto(f"/adapters/versions/{second.id}/")
        page.get_by_role("button", name="Promote v2…").click()
        share = page.get_by_label("Share of callers (%)")
        expect(share).to_be_hidden()
        page.get_by_label("A share of callers first, then everyone if they fare no worse").check()
        expect(share).to_be_visible()
        assert problems(page) == []
        share.fill("25")
        page.get_by_label("For", exact=True).select_option("1 day")
        page.get_by_role("button", name="Promote", exact=True).click()
        expect(page.get_by_role("link", name="Promote legal v2")).to_be_visible()
    with tenant_scope(tenant.id):
        trial = until_tried()
    assert (trial.percent, trial.ends_at - trial.created_at > 23 * trial.window / 4) == (25, True)
    with browsing(live_server, as_alice, viewport=DESKTOP) as page:
        page.goto(f"/adapters/versions/{second.id}/#promotion")
        page.get_by_role("link", name="See the trial, or stop it").click()
        page.get_by_role("button", name="Stop…").click()
        page.get_by_role("button", name="Stop trial").click()
    with tenant_scope(tenant.id):
        step()
        trial.refresh_from_db()
    assert trial.state == "stopped"
