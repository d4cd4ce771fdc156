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

Opened = Callable[..., AbstractContextManager[Page]]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def open_review(
    live_server: LiveServer, as_rita: Client, tenant: Tenant, make_evaluation: Callable[..., EvaluationRun]
) -> Opened:
    cookie = as_rita.cookies[settings.SESSION_COOKIE_NAME].value
    run = make_evaluation(tenant, rows=12)

    @contextmanager
    def opened(*, javascript: bool = True) -> Iterator[Page]:
        # No fixture: while Playwright runs, this thread counts as asynchronous and may not use the database.
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find(), args=launch_arguments())
            context = browser.new_context(java_script_enabled=javascript)
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
            page = context.new_page()
            page.goto(live_server.url + reverse("evaluations:review", args=[run.id]))
            yield page
            browser.close()

    return opened


@pytest.fixture
def given(tenant: Tenant, rita: User) -> Callable[[], list[tuple[int, str]]]:
    def read() -> list[tuple[int, str]]:
        with tenant_scope(tenant.id):
            reviews = Review.objects.filter(reviewer=rita).order_by("-item__uncertainty", "item__position")
            return list(reviews.values_list("grade", "comment"))

    return read


def bar(page: Page, text: str) -> None:
    """Wait until the line above the answer says so."""
    expect(page.locator(".review-bar")).to_contain_text(text)


def press(page: Page, key: str, text: str) -> None:
    """Press a key that brings another answer, and wait until that one takes keys."""
    page.keyboard.press(key)
    bar(page, text)
    expect(page.locator("#review")).to_be_focused()


def test_every_answer_is_graded_by_keys_alone(open_review: Opened, given: Callable[[], list[tuple[int, str]]]) -> None:
    with open_review() as page:
        bar(page, "Answer 1 of 12 · 0 graded")
        for number in range(12):
            press(page, str(number % 5 + 1), f"{number + 1} graded")
        expect(page.get_by_text("All graded")).to_be_visible()
    assert [grade for grade, _ in given()] == [number % 5 + 1 for number in range(12)]


def test_steps_skips_and_comments(open_review: Opened, given: Callable[[], list[tuple[int, str]]]) -> None:
    with open_review() as page:
        press(page, "Enter", "Answer 2 of 12")
        press(page, "ArrowRight", "Answer 3 of 12")
        press(page, "ArrowLeft", "Answer 2 of 12")
        press(page, "4", "Answer 3 of 12 · 1 graded")
        press(page, "s", "Answer 4 of 12")
        page.keyboard.press("c")
        page.keyboard.type("5 of 5, says s and c")
        page.keyboard.press("Control+Enter")
        expect(page.locator('[data-key="1"]')).to_be_focused()
        press(page, "2", "Answer 5 of 12 · 2 graded")
        press(page, "ArrowLeft", "Answer 4 of 12")
        page.keyboard.press("c")
        page.keyboard.press("Control+End")
        page.keyboard.type("!")
        press(page, "Control+Enter", "Answer 5 of 12 · 2 graded")
    assert given() == [(4, ""), (2, "5 of 5, says s and c!")]


def test_keys_that_mean_something_else_are_left_alone(
    open_review: Opened, given: Callable[[], list[tuple[int, str]]]
) -> None:
    with open_review() as page:
        page.keyboard.press("Alt+3")
        page.keyboard.press("Shift+Digit3")
        page.keyboard.press("?")
        expect(page.locator("#review-keys")).to_be_visible()
        page.keyboard.press("3")
        page.keyboard.press("Escape")
        expect(page.locator("#review-keys")).to_be_hidden()
        page.keyboard.press("c")
        page.keyboard.press("3")
        page.keyboard.press("Escape")
        bar(page, "Answer 1 of 12 · 0 graded")
        press(page, "5", "Answer 2 of 12 · 1 graded")
    assert given() == [(5, "3")]


def test_without_javascript_the_same_form_works(
    open_review: Opened, given: Callable[[], list[tuple[int, str]]]
) -> None:
    with open_review(javascript=False) as page:
        page.get_by_label("Comment").fill("by mouse")
        page.get_by_role("button", name="Good").click()
        bar(page, "Answer 2 of 12 · 1 graded")
    assert given() == [(4, "by mouse")]
