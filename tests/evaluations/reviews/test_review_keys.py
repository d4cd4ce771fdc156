"""The review screen in a real browser: many answers graded without touching the mouse."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from evaluations.models import EvaluationRun, Review
from scripts.browser import find, launch_arguments
from tenants.models import Tenant, User
from tenants.scope import tenant_scope
from tests.evaluations.reviews.rounds import start

Opened = Callable[..., AbstractContextManager[Page]]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def open_review(
    live_server: LiveServer, as_rita: Client, tenant: Tenant, rita: User, make_evaluation: Callable[..., EvaluationRun]
) -> Opened:
    cookie = as_rita.cookies[settings.SESSION_COOKIE_NAME].value
    with tenant_scope(tenant.id):
        review_round = start(make_evaluation(tenant, rows=12), rita)

    @contextmanager
    def opened(*, javascript: bool = True) -> Iterator[Page]:
        # No fixture: while Playwright runs, this thread counts as asynchronous and may not use the database.
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find(), args=launch_arguments())
            context = browser.new_context(java_script_enabled=javascript)
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
            page = context.new_page()
            page.goto(live_server.url + reverse("evaluations:review", args=[review_round.id]))
            yield page
            browser.close()

    return opened


@pytest.fixture
def given(tenant: Tenant, rita: User) -> Callable[[], list[tuple[float | None, str]]]:
    def read() -> list[tuple[float | None, str]]:
        with tenant_scope(tenant.id):
            reviews = Review.objects.filter(reviewer=rita).order_by("round_item__position")
            return list(reviews.values_list("grade", "comment"))

    return read


def bar(page: Page, text: str) -> None:
    """Wait until the line above the answer says so."""
    expect(page.locator(".review-bar")).to_contain_text(text)


def test_every_answer_is_graded_by_keys_alone(
    open_review: Opened, given: Callable[[], list[tuple[float | None, str]]]
) -> None:
    with open_review() as page:
        bar(page, "0 of 12 graded")
        for number in range(12):
            page.keyboard.press(str(number % 5 + 1))
            bar(page, f"{number + 1} of 12 graded")
            expect(page.locator("#review")).to_be_focused()
        expect(page.get_by_text("All graded")).to_be_visible()
    assert [grade for grade, _ in given()] == [number % 5 + 1 for number in range(12)]


def test_without_javascript_the_same_form_works(
    open_review: Opened, given: Callable[[], list[tuple[float | None, str]]]
) -> None:
    with open_review(javascript=False) as page:
        page.get_by_label("Comment").fill("by mouse")
        page.get_by_role("button", name="Good").click()
        bar(page, "1 of 12 graded")
    assert given() == [(4, "by mouse")]
