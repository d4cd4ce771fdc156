"""The operator adds, checks and removes a base model in a real browser, on pages that can be read."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from adapters.base_models.services import add_base_model, note_findings
from adapters.models import BaseModelWork, WorkState
from adapters.operator import starting
from adapters.operator.checking import check
from adapters.operator.doing import do_work
from adapters.operator.starting import start_due
from tests.browsing import browsing, looks
from tests.serving.operator.test_operator_in_a_browser import aside

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

LIST = "/operator/base-models/"


def finish() -> None:
    """Do what the worker would."""
    start_due()
    for work in BaseModelWork.objects.running():
        do_work(work)


def test_one_is_added_checked_and_removed(
    live_server: LiveServer, as_olga: Client, uploaded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "_spawn", lambda work: None)
    with browsing(live_server, as_olga) as page:
        page.goto(LIST)
        page.get_by_role("link", name="Add base model").first.click()
        page.get_by_label("Source").fill("/etc")
        page.get_by_label("Name").fill("small")
        page.get_by_role("button", name="Add base model").click()
        expect(page.get_by_label("Source")).to_have_attribute("aria-invalid", "true")
        page.get_by_label("Source").fill("uploaded")
        page.get_by_role("button", name="Add base model").click()
        expect(page.get_by_test_id("addition")).to_contain_text("Waiting")
        aside(finish)
        expect(page.get_by_test_id("addition")).to_have_count(0)
        expect(page.get_by_test_id("base-model")).to_contain_text("OK")
        page.get_by_role("link", name="Small").click()
        page.get_by_role("button", name="Check again").click()
        expect(page.get_by_role("button", name="Stop")).to_be_visible()
        aside(finish)
        expect(page.get_by_role("button", name="Check again")).to_be_visible()
        page.get_by_role("button", name="Remove…").click()
        page.get_by_role("button", name="Remove base model").click()
        expect(page.get_by_text("No base models")).to_be_visible()


def test_the_pages_can_be_read_by_everybody(live_server: LiveServer, as_olga: Client, uploaded: Path) -> None:
    small = add_base_model(folder=uploaded, name="small", licence="MIT")
    note_findings(base_model=small, findings=[one.to_dict() for one in check(small)])
    BaseModelWork.objects.create(
        kind="add", name="qwen", source="hf://maker/" + "long" * 40, state=WorkState.RUNNING, doing="Fetching",
        bytes_done=10**9, bytes_total=10**10,
    )  # fmt: skip
    BaseModelWork.objects.create(
        kind="add",
        name="gone",
        source="s3://models/gone",
        state=WorkState.FAILED,
        error_text="S3 did not give it. " * 9,
    )
    with browsing(live_server, as_olga) as page:
        for address in (LIST, f"{LIST}new/", f"{LIST}{small.id}/", f"{LIST}{small.id}/change/"):
            page.goto(address)
            for look in looks(page):
                found = Axe().run(page).response["violations"]
                assert [(one["id"], one["nodes"][0]["target"]) for one in found] == [], (address, look)
                assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (address, look)
