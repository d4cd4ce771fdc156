"""The price book in a real browser: readable by everybody, in both looks, on a desktop and a phone."""

from decimal import Decimal
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from jobs.backends import compute
from metering.prices.services import add_discount, set_price, set_rate
from tests.browsing import browsing
from tests.metering.prices.listed import InCloud

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

LOOKS: list[tuple[ViewportSize, Literal["light", "dark"]]] = [
    ({"width": 1280, "height": 720}, "dark"),
    ({"width": 390, "height": 844}, "light"),
]


def test_what_lacks_a_price_gets_one(live_server: LiveServer, as_olga: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(compute.built, "default", InCloud("default", {"ROOT": "unused"}))
    row = set_price(service="hosting", item="ml.g6e.12xlarge", region="ap-southeast-2", amount=Decimal("11.25"),
                    currency="EUR", note="A private offer", set_by=None)  # fmt: skip
    set_price(service="storage", item="local", amount=Decimal(0), currency="USD", set_by=None)
    add_discount(service="hosting", percent=Decimal(20), reason="Savings Plan", set_by=None)
    set_rate(currency="EUR", rate=Decimal("1.08"), set_by=None)
    with browsing(live_server, as_olga) as page:
        for address in ("", f"{row.id}/", "set/", "discount/", "rate/"):
            page.goto(f"/operator/prices/{address}")
            for viewport, scheme in LOOKS:
                page.set_viewport_size(viewport)
                page.emulate_media(color_scheme=scheme)
                assert Axe().run(page).response["violations"] == [], address
                assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), address
        page.goto("/operator/prices/")
        page.get_by_role("link", name="Set price of ml.g6e.xlarge in eu-west-1").click()
        page.get_by_label("Price", exact=True).fill("2.03")
        page.get_by_role("button", name="Set price").click()
        expect(page.get_by_text("Price set.")).to_be_visible()
        expect(page.get_by_test_id("missing")).to_have_count(0)
        expect(page.get_by_test_id("price").filter(has_text="ml.g6e.xlarge")).to_contain_text("2.03 USD per hour")
