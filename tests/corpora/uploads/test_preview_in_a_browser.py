"""The preview of an upload in a real Chromium: it refreshes itself, and everybody can use it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connections
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer
from rest_framework.test import APIClient

from corpora.models import Upload
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.browsing import PHONE, browsing, looks
from tests.corpora.conftest import jsonl
from tests.corpora.uploads.uploading import whole

pytestmark = pytest.mark.slow

DESKTOP = {"width": 1280, "height": 900}
TICKETS = [
    {"ticket": n, "mensaje": f"¿Dónde está el paquete {n}?", "solución": f"El paquete {n} está aquí.", "nota": f"n{n}"}
    for n in range(9)
]

Run = Callable[..., None]


@contextmanager
def worker(run_jobs: Run) -> Iterator[None]:
    """Steps jobs while a browser uses the site. Its errors fail the test."""
    ended, errors = threading.Event(), []

    def work() -> None:
        try:
            while not ended.wait(0.1):
                run_jobs()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    assert errors == []


@pytest.fixture
def address(live_server: LiveServer, api: APIClient, run_jobs: Run, tenant: Tenant) -> Callable[[bytes], str]:
    def make(content: bytes) -> str:
        whole(api, content, name="Tickets")
        run_jobs()
        with tenant_scope(tenant.id):
            return reverse("corpora:upload-format", args=[Upload.objects.latest("created_at").id])

    return make


def test_a_choice_refreshes_the_preview_by_itself(
    live_server: LiveServer, as_alice: Client, address: Callable[[bytes], str], run_jobs: Run
) -> None:
    url = address(jsonl(*TICKETS))
    with browsing(live_server, as_alice, viewport=DESKTOP) as page, worker(run_jobs):
        page.goto(url)
        form = page.locator("#preview")
        answers = form.locator(".bubble-learnt .bubble-text")
        expect(answers.first).to_have_text("El paquete 0 está aquí.")
        expect(form.locator("[data-refresh-button]")).to_be_hidden()
        form.locator("#id_name").fill("Paquetes")
        page.evaluate("globalThis.sameDocument = true")
        form.locator("#id_column_completion").select_option("nota")
        expect(answers.first).to_have_text("n0")
        expect(form).to_have_attribute("aria-busy", "false")
        expect(form.locator("[data-refresh-status]")).not_to_be_empty()
        expect(form.locator("#id_name")).to_have_value("Paquetes")
        assert page.evaluate("globalThis.sameDocument")
        # The new parts listen, too, and the last of several choices wins.
        for column in ("solución", "mensaje", "solución"):
            form.locator("#id_column_completion").select_option(column)
        expect(answers.first).to_have_text("El paquete 0 está aquí.")
        form.locator("button[name=use]").click()
        page.wait_for_url("**/versions/**")


def test_without_a_script_the_button_refreshes(
    live_server: LiveServer, as_alice: Client, address: Callable[[bytes], str], run_jobs: Run
) -> None:
    url = address(jsonl(*TICKETS))
    with browsing(live_server, as_alice, viewport=DESKTOP, java_script_enabled=False) as page, worker(run_jobs):
        page.goto(url)
        page.locator("#id_column_completion").select_option("nota")
        page.locator("[data-refresh-button]").click()
        expect(page.locator("#looking, .bubble-learnt").first).to_be_visible()
        assert page.url.endswith(url)


def test_preference_data_needs_one_click(
    live_server: LiveServer, as_alice: Client, address: Callable[[bytes], str], run_jobs: Run
) -> None:
    url = address(jsonl(*({"prompt": f"q{n}", "chosen": "good", "rejected": "bad"} for n in range(9))))
    with browsing(live_server, as_alice, viewport=PHONE) as page, worker(run_jobs):
        page.goto(url)
        expect(page.locator("button[name=use]")).to_have_count(0)
        page.locator("button[value=chosen]").click()
        expect(page.locator("button[name=use]")).to_be_visible()


def test_axe_finds_nothing(live_server: LiveServer, as_alice: Client, address: Callable[[bytes], str]) -> None:
    url = address(jsonl(*TICKETS, {"mensaje": "¿Y ahora qué hago?"}))
    with browsing(live_server, as_alice) as page:
        for look in looks(page):
            page.goto(url)
            for details in page.locator("#preview details").all():
                details.evaluate("part => { part.open = true }")
            found = Axe().run(page).response["violations"]
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), look
            assert [(problem["id"], problem["nodes"][0]["target"]) for problem in found] == [], look


def test_a_column_is_kept_by_one_tick(
    live_server: LiveServer, as_alice: Client, address: Callable[[bytes], str], run_jobs: Run
) -> None:
    rows = ({"prompt": f"q{n}", "completion": f"a{n}", "topic": "ab"[n % 2], "nr": f"N{n}"} for n in range(9))
    url = address(jsonl(*rows))
    with browsing(live_server, as_alice, viewport=PHONE) as page, worker(run_jobs):
        page.goto(url)
        kept = page.get_by_role("group", name="Keep for filtering")
        expect(kept.get_by_label("topic")).to_be_checked()
        expect(page.locator(".conversation-marks").first).to_have_text("topic: a")
        kept.get_by_label("nr").check()
        expect(page.locator(".conversation-marks").first).to_contain_text("nr: N0")
        expect(page.locator("#preview")).to_have_attribute("aria-busy", "false")
        assert Axe().run(page).response["violations"] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
