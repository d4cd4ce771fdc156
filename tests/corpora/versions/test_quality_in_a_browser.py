"""The clean step of a version and what is learnt of its rows, in a real Chromium."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from corpora.models import Dataset, DatasetVersion
from tenants.models import Tenant
from tests.browsing import PHONE, browsing
from tests.corpora.stored import chat, finding, stored_version

pytestmark = pytest.mark.slow

DESKTOP = {"width": 1280, "height": 900}


def notice(code: str, count: int, decision: str = "") -> dict[str, object]:
    return {"code": code, "count": count, "text": "Look at them.", "lines": [2, 3], "decision": decision}


@pytest.fixture
def version(in_tenant: Tenant, live_server: LiveServer) -> DatasetVersion:
    """A version with something to decide of each kind."""
    notices = [
        notice("dataset:personal_email", 20, "personal_data"),
        notice("dataset:personal_phone", 3, "personal_data"),
        notice("dataset:leak", 4, "leaks"),
        notice("dataset:over_long", 1, "over_long"),
        notice("dataset:reasoning", 2, "reasoning"),
        notice("dataset:duplicate_row", 5),
    ]
    problem = {"line": 9, "field": "completion", "code": "dataset:missing_field", "text": "Fill it in."}
    return stored_version(
        Dataset.objects.create(name="Clauses"),
        [chat("a"), chat("b")],
        findings=[finding(9)],
        problems=[problem],
        problem_count=1,
        profile={"position": "line", "warnings": notices, "problems_by_code": {"dataset:missing_field": 1}},
    )


@pytest.mark.parametrize(("viewport", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
def test_axe_finds_nothing(
    live_server: LiveServer, as_alice: Client, version: DatasetVersion, viewport: dict[str, int], scheme: str
) -> None:
    with browsing(live_server, as_alice, viewport=viewport, color_scheme=scheme) as page:
        for tab in ("quality", "preview"):
            page.goto(f"/datasets/versions/{version.id}/?tab={tab}")
            expect(page.locator("input[name=decision]")).to_have_count(5 if tab == "quality" else 0)
            found = Axe().run(page).response["violations"]
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert [(problem["id"], problem["nodes"][0]["target"]) for problem in found] == []


def test_the_step_is_done_with_the_keyboard(live_server: LiveServer, as_alice: Client, version: DatasetVersion) -> None:
    with browsing(live_server, as_alice, viewport=DESKTOP) as page:
        page.goto(f"/datasets/versions/{version.id}/?tab=quality")
        page.locator("#decide-leaks").focus()
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: str(version.id) not in url)
    options = DatasetVersion.objects.get(derived_from=version).options
    assert (options["leaks"], options["bad_rows"], options["personal_data"]) == ("leave_out", "leave_out", "keep")
