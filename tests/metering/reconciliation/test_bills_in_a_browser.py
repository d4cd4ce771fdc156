"""The page of bills in a real browser: readable by everybody, in both looks, on a desktop and a phone."""

from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from tests.browsing import browsing
from tests.metering.reconciliation.bills import CUR, csv_of, gz, line
from tests.metering.reconciliation.conftest import DAY, measured

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

LOOKS: list[tuple[ViewportSize, Literal["light", "dark"]]] = [
    ({"width": 1280, "height": 720}, "dark"),
    ({"width": 390, "height": 844}, "light"),
]


def test_a_bill_is_imported_and_compared(live_server: LiveServer, as_olga: Client, tmp_path: Path) -> None:
    for day in range(4):
        measured(DAY.replace(day=5 + day), hours=24 - 4 * (day == 2), price="1.5" if day != 3 else "")
    hours = [(day, hour) for day in range(4) for hour in range(24)]
    lines = [line(f"2026-10-{5 + day:02}T{hour:02}", net="1.2" if day else "1.5") for day, hour in hours]
    other = line("2026-10-06T03", resource="arn:aws:sagemaker:eu-west-1:1:endpoint/somebody-elses", net="12.5")
    paths = [tmp_path / "october-00001.csv.gz", tmp_path / "october-00002.csv"]
    paths[0].write_bytes(gz(csv_of(CUR, lines)))
    paths[1].write_bytes(csv_of(CUR, [other]))
    with browsing(live_server, as_olga) as page:
        page.goto("/operator/prices/")
        page.get_by_role("link", name="Compare with bills").click()
        for step in ("empty", "imported"):
            if step == "imported":
                page.get_by_label("Files of the bill").set_input_files(paths)
                page.get_by_role("button", name="Import bill").click()
                expect(page.get_by_text("Bill imported: 97 of 97 rows")).to_be_visible()
                expect(page.get_by_test_id("row")).to_have_count(5)
                expect(page.get_by_test_id("month")).to_contain_text("October 2026")
            for viewport, scheme in LOOKS:
                page.set_viewport_size(viewport)
                page.emulate_media(color_scheme=scheme)
                assert Axe().run(page).response["violations"] == [], step
                assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), step
        with page.expect_download() as download:
            page.get_by_role("link", name="FOCUS file for 2026-10").click()
        assert download.value.suggested_filename == "FOCUS 1.3 all 2026-10.csv"
