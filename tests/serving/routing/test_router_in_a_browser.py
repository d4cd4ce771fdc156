"""The editor of a router in a real browser, with the keyboard, in light and dark, large and small."""

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Page, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from serving.models import RouterLearning
from serving.routing.document import RouterDocument, RuleDraft, Target
from serving.routing.services import create_router
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.browsing import PHONE, browsing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

DESKTOP: ViewportSize = {"width": 1280, "height": 720}
LOOKS: list[tuple[ViewportSize, Literal["light", "dark"]]] = [
    (DESKTOP, "dark"),
    ({"width": PHONE["width"], "height": PHONE["height"]}, "light"),
]
RULES = (
    RuleDraft(kind="keyword", texts=("refund", "invoice"), target="billing"),
    RuleDraft(kind="pattern", texts=(r"\bORD-\d{6}\b",), target="legal"),
)
TARGETS = (Target(name="billing", description="Invoices and refunds"), Target(name="legal", description="Contracts"))
TABLE = {"billing": {"billing": 93, "legal": 4, "tiny-llama": 3}, "legal": {"legal": 100}}


def problems(page: Page) -> list[tuple[str, list[str]]]:
    found = Axe().run(page).response["violations"]
    return [(problem["id"], problem["nodes"][0]["target"]) for problem in found]


def test_rules_are_written_moved_tried_and_saved(live_server: LiveServer, as_bob: Client, desk: Tenant) -> None:
    with browsing(live_server, as_bob, viewport=DESKTOP) as page:
        page.goto("/serving/routers/")
        page.get_by_role("link", name="Add router").first.click()
        page.get_by_label("Model ID").fill("desk")
        page.get_by_label("Fits rule 1").fill("refund")
        page.get_by_label("Goes to by rule 1").fill("billing")
        page.get_by_role("button", name="Add rule").press("Enter")
        page.get_by_label("Fits rule 2").fill("§")
        page.get_by_label("Goes to by rule 2").fill("legal")
        page.get_by_role("button", name="Move rule 2 up").press("Enter")
        expect(page.get_by_label("Fits rule 1")).to_have_value("§")
        expect(page.get_by_label("Model ID")).to_have_value("desk")
        page.get_by_label("Prompts, one per line").fill("A refund by § 5\nA refund\nHello")
        page.get_by_role("button", name="Try prompts").press("Enter")
        tried = page.get_by_test_id("tried")
        expect(tried).to_have_count(3)
        expect(tried.nth(0)).to_contain_text("Rule 1")
        expect(tried.nth(2)).to_contain_text("Refused")
        page.get_by_label("Goes to by rule 2").fill("nobody")
        page.get_by_role("button", name="Add router").press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("Rule 2: “nobody” is no live adapter")
        page.get_by_label("Goes to by rule 2").fill("billing")
        page.get_by_role("button", name="Add router").press("Enter")
        expect(page.get_by_text("Router desk saved. Requests use it within a second.")).to_be_visible()
        page.get_by_role("button", name="Delete router").first.click()
        page.get_by_role("dialog").get_by_role("button", name="Delete router").click()
        expect(page.get_by_text("Router desk deleted.")).to_be_visible()


def test_everyone_can_read_it(live_server: LiveServer, as_bob: Client, desk: Tenant) -> None:
    document = RouterDocument(rules=RULES, default="tiny-llama", classifier="examples", targets=TARGETS)
    with tenant_scope(desk.id):
        router = create_router(tenant=desk, name="desk", document=document, created_by=None)
        report = {"learnt": {"billing": 500, "legal": 480}, "held_out": 200, "right": 191, "table": TABLE}
        RouterLearning.objects.update_or_create(router=router, defaults={"source": "seen", "report": report})
    for viewport, colours in LOOKS:
        with browsing(live_server, as_bob, viewport=viewport, color_scheme=colours) as page:
            for url in ("/serving/routers/", f"/serving/routers/{router.id}/", "/serving/routers/new/"):
                page.goto(url)
                expect(page.get_by_role("heading", level=1)).to_be_visible()
                assert problems(page) == []
                width = page.evaluate("document.documentElement.scrollWidth")
                assert width <= viewport["width"]
            page.goto(f"/serving/routers/{router.id}/")
            expect(page.get_by_test_id("confusion")).to_contain_text("191 of 200")
