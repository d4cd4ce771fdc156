"""The page of an evaluation in a real browser: its landmarks, its rows on a phone, and where its links stop."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from evaluations.models import EvaluationItem, EvaluationRun
from tenants.models import Tenant, User
from tenants.scope import tenant_scope
from tests.browsing import PHONE, browsing
from tests.evaluations.reviews.rounds import graded

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

DESKTOP = {"width": 1280, "height": 720}


@pytest.fixture
def address(tenant: Tenant, rita: User, make_evaluation: Callable[..., EvaluationRun]) -> str:
    """An evaluation with slices and a grade."""
    run = make_evaluation(tenant, rows=30)
    with tenant_scope(tenant.id):
        item = EvaluationItem.objects.filter(run=run).select_related("run")[0]
        graded(item, rita, 2, "x" * 300)
    return reverse("evaluations:detail", args=[run.id])


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing(live_server: LiveServer, as_alice: Client, address: str, viewport: dict[str, int]) -> None:
    with browsing(live_server, as_alice, viewport=viewport) as page:
        page.goto(f"{address}figures/")
        expect(page.locator(".js-plotly-plot")).to_have_count(2)
        found = Axe().run(page).response["violations"]
        page.goto(address)
        found += Axe().run(page).response["violations"]
        page.locator("[data-row-link]").nth(1).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        found += Axe().run(page).response["violations"]
        page.goto(f"{address}rows/2/")
        found += Axe().run(page).response["violations"]
    assert [(problem["id"], problem["nodes"][0]["target"]) for problem in found] == []


def test_on_a_phone_every_answer_is_on_the_screen(live_server: LiveServer, as_alice: Client, address: str) -> None:
    with browsing(live_server, as_alice, viewport=PHONE) as page:
        page.goto(address)
        row = page.locator("table.answers tbody tr").first
        boxes = [cell.bounding_box() for cell in row.locator("td").all()]
        labels = row.locator("td").evaluate_all("cells => cells.map((cell) => cell.dataset.label)")
        columns = page.locator("table.answers thead th").all_text_contents()[1:]
    assert labels == columns
    assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"] for box in boxes)
    tops = [box["y"] for box in boxes if box]
    assert tops == sorted(set(tops)), "one below the other"


def test_a_row_opens_beside_the_grid_and_keys_go_on(live_server: LiveServer, as_alice: Client, address: str) -> None:
    with browsing(live_server, as_alice, viewport=DESKTOP) as page:
        page.goto(f"{address}?wrong=base&sort=-uncertain")
        dialog = page.get_by_role("dialog")
        page.get_by_role("link", name="Open row 2", exact=True).click()
        expect(dialog.get_by_role("heading", name="Row 2", exact=True)).to_be_visible()
        expect(dialog).to_contain_text("2 of 30 shown")
        page.keyboard.press("j")
        expect(dialog.get_by_role("heading", name="Row 3", exact=True)).to_be_visible()
        page.keyboard.press("k")
        expect(dialog.get_by_role("heading", name="Row 2", exact=True)).to_be_visible()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(page.get_by_role("link", name="Open row 2", exact=True)).to_be_focused()
        page.keyboard.press("j")
        expect(dialog).to_be_hidden()


def test_a_row_by_itself_goes_on_by_keys_too(live_server: LiveServer, as_alice: Client, address: str) -> None:
    with browsing(live_server, as_alice, viewport=DESKTOP) as page:
        page.goto(f"{address}rows/2/?wrong=base")
        page.keyboard.press("j")
        page.wait_for_url("**/rows/3/?wrong=base")


def test_filters_make_an_address_of_what_is_chosen(live_server: LiveServer, as_alice: Client, address: str) -> None:
    with browsing(live_server, as_alice, viewport=DESKTOP) as page:
        page.goto(address)
        page.get_by_text("Base wrong").click()
        page.wait_for_url(f"**{address}?wrong=base#rows")
        page.get_by_label("Slice").select_option("unseen")
        page.wait_for_url(f"**{address}?wrong=base&slice=unseen#rows")
        expect(page.get_by_role("status").filter(has_text="rows")).to_have_text("10 of 30 rows")
        page.get_by_role("link", name="Clear filters").click()
        page.wait_for_url(f"**{address}#rows")


def below_the_bar(page: Page, selector: str) -> bool:
    bar, target = page.locator(".top-bar").bounding_box(), page.locator(selector).bounding_box()
    assert bar
    assert target
    return target["y"] >= bar["y"] + bar["height"]


def test_an_anchor_stops_below_the_top_bar(live_server: LiveServer, as_alice: Client, address: str) -> None:
    with browsing(live_server, as_alice, viewport={"width": 1280, "height": 300}) as page:
        page.goto(address)
        page.get_by_role("link", name="Promote…").click()
        page.wait_for_url("**#promotion")
        expect(page.locator("#promotion").get_by_role("button", name="Promote")).to_be_in_viewport()
        assert below_the_bar(page, "#promotion")
        page.goto(f"{address}#rows")
        assert below_the_bar(page, "#rows")
