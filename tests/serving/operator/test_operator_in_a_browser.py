"""The operator in a real browser: from one endpoint to another, without a page that can't be read."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from django.test import Client
from playwright.sync_api import Page, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from serving.endpoints.reconciler import reconcile
from serving.models import Endpoint, Route
from serving.moves.services import move_tenant
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.browsing import browsing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

LIST = "/operator/endpoints/"
DESKTOP: ViewportSize = {"width": 1280, "height": 720}
LOOKS: list[tuple[ViewportSize, Literal["light", "dark"]]] = [
    (DESKTOP, "dark"),
    ({"width": 390, "height": 844}, "light"),
]
Promoted = Callable[[Tenant, str, int], None]


def aside(work: Callable[[], object]) -> None:
    """Do what the worker would: while a browser is open, this thread may not use the database."""

    def done() -> None:
        work()
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(done).result()


def problems(page: Page) -> list[tuple[str, list[str]]]:
    found = Axe().run(page).response["violations"]
    return [(problem["id"], problem["nodes"][0]["target"]) for problem in found]


def test_a_second_endpoint_takes_over_from_the_first(
    live_server: LiveServer, as_olga: Client, tenant: Tenant, shared: Endpoint, promoted: Promoted,
    run_jobs: Callable[..., None],
) -> None:  # fmt: skip
    promoted(tenant, "legal", 1)
    with browsing(live_server, as_olga, viewport=DESKTOP) as page:
        page.goto(LIST)
        page.get_by_role("link", name="New endpoint").click()
        page.get_by_label("Where it runs").select_option("The cloud (cloud)")
        page.get_by_label("Name").fill("eu-2")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_test_id("cost")).to_contain_text("$1,095 per month")
        page.get_by_role("button", name="Create endpoint").click()
        expect(page.get_by_role("heading", name="eu-2")).to_be_visible()
        expect(page.get_by_label("State", exact=True)).to_contain_text("Creating")
        for _ in range(2):
            aside(reconcile)
        page.goto(LIST)
        page.get_by_role("link", name="eu-2").click()
        expect(page.get_by_test_id("health")).to_contain_text("Available")
        page.get_by_role("button", name="Make default").click()
        expect(page.get_by_text("eu-2 is the default for Tiny Llama now.")).to_be_visible()
        page.goto(f"{LIST}{shared.id}/")
        page.get_by_role("button", name="Delete…").click()
        expect(page.get_by_role("dialog")).to_contain_text("1 adapter is live on it")
        page.get_by_role("button", name="Close").click()
        page.get_by_role("button", name="Move… Alder Law").click()
        page.get_by_label("To", exact=True).select_option("eu-2")
        page.get_by_role("button", name="Move organisation").click()
        expect(page.get_by_test_id("tenant")).to_contain_text("Moving")
        expect(page.get_by_test_id("health")).to_contain_text("Available")
        aside(run_jobs)
        expect(page.get_by_text("No organisations here yet")).to_be_visible()
        page.get_by_role("button", name="Delete…").click()
        page.get_by_label("Type shared to confirm").fill("shared")
        page.get_by_role("button", name="Delete endpoint").click()
        expect(page.get_by_label("State", exact=True)).to_contain_text("Deleting")
        aside(reconcile)
        page.goto(LIST)
        expect(page.get_by_test_id("endpoint")).to_have_count(1)
        expect(page.get_by_test_id("endpoint")).to_contain_text(re.compile("eu-2.*Default", re.DOTALL))
    with tenant_scope(tenant.id):
        assert Route.objects.get(alias="legal").active.endpoint.name == "eu-2"


def test_its_pages_can_be_read_by_everybody(
    live_server: LiveServer, as_olga: Client, tenant: Tenant, shared: Endpoint, eu: Endpoint, promoted: Promoted
) -> None:
    promoted(tenant, "legal", 1)
    with tenant_scope(tenant.id):
        move_tenant(tenant=tenant, to=eu)
    Endpoint.objects.filter(id=eu.id).update(error_text="No machine of this type is free.")
    with browsing(live_server, as_olga) as page:

        def check() -> None:
            for viewport, scheme in LOOKS:
                page.set_viewport_size(viewport)
                page.emulate_media(color_scheme=scheme)
                assert problems(page) == [], page.url
                assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url

        for address in (LIST, f"{LIST}{eu.id}/", f"{LIST}{shared.id}/adapters/"):
            page.goto(address)
            check()
        page.goto(f"{LIST}new/?alias=cloud")
        page.get_by_label("Name").fill("two")
        check()
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_test_id("cost")).to_be_visible()
        check()
