"""The review screen in a real browser: many answers graded without touching the mouse."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.db import connection
from django.test import Client
from django.test.testcases import LiveServerThread, QuietWSGIRequestHandler
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from evaluations.models import (
    EvaluatedModel,
    EvaluationItem,
    EvaluationRun,
    Review,
    ReviewRound,
    RoundShape,
    RubricVersion,
    Turn,
)
from evaluations.reviews.rounds.services import Design, start_round
from evaluations.rubrics.document import parsed
from evaluations.rubrics.services import create_rubric
from scripts.browser import find, launch_arguments
from tenants.models import Tenant, User
from tenants.scope import tenant_scope
from tests.browsing import looks
from tests.evaluations.reviews.rounds import UNIFORM, start
from tests.examples import is_thorough

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

MANY = 500 if is_thorough() else 150
STOPS = (MANY * 3 // 10, MANY * 2 // 3)
RUBRIC = {
    "name": "Boxes",
    "instructions": "Read the shelf first.",
    "criteria": [
        {"name": "Right shelf", "description": "Is it the right one?", "anchors": {"1": "Wrong", "5": "Right"}},
        {"name": "Nothing added", "description": "Does it say no more than asked?"},
        {"name": "Style", "description": "Is it short?", "required": False},
    ],
}


class ReusingThread(LiveServerThread):
    """Takes its port again while connections of the server before are still closing."""

    def _create_server(self, connections_override: Any = None) -> Any:
        return self.server_class(
            (self.host, self.port),
            QuietWSGIRequestHandler,
            allow_reuse_address=True,
            connections_override=connections_override,
        )


class Site:
    """A server that can be stopped and started at the same address."""

    def __init__(self) -> None:
        self._port = 0
        self.start()
        self.url = f"http://localhost:{self._port}"

    def start(self) -> None:
        self._thread = ReusingThread("localhost", StaticFilesHandler, port=self._port)
        self._thread.daemon = True
        self._thread.start()
        self._thread.is_ready.wait()
        assert self._thread.error is None
        self._port = self._thread.port

    def stop(self) -> None:
        self._thread.terminate()


@pytest.fixture
def site(transactional_db: None) -> Iterator[Site]:
    site = Site()
    yield site
    site.stop()


@contextmanager
def opened(site: Site, client: Client, review_round: ReviewRound, **options: Any) -> Iterator[Page]:
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    # No fixture: while Playwright runs, this thread counts as asynchronous and may not use the database.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=launch_arguments())
        context: BrowserContext = browser.new_context(**options)
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": site.url}])
        page = context.new_page()
        page.goto(site.url + reverse("evaluations:review", args=[review_round.id]))
        yield page
        browser.close()


@pytest.fixture
def run(tenant: Tenant, make_evaluation: Callable[..., EvaluationRun]) -> EvaluationRun:
    return make_evaluation(tenant, rows=12)


@pytest.fixture
def plain(tenant: Tenant, rita: User, run: EvaluationRun) -> ReviewRound:
    with tenant_scope(tenant.id):
        return start(run, rita)


@pytest.fixture
def by_rubric(tenant: Tenant, rita: User, alice: User, run: EvaluationRun) -> ReviewRound:
    with tenant_scope(tenant.id):
        rubric = create_rubric(tenant=tenant, document=parsed(RUBRIC), created_by=alice)
        return start(run, rita, rubric_version=RubricVersion.objects.get(rubric=rubric))


@pytest.fixture
def given(tenant: Tenant, rita: User) -> Callable[[], list[Review]]:
    def read() -> list[Review]:
        with tenant_scope(tenant.id):
            reviews = Review.objects.filter(reviewer=rita).select_related("round_item__item")
            return list(reviews.order_by("round_item__position"))

    return read


def bar(page: Page, text: str) -> None:
    """Wait until the line above the answer says so."""
    expect(page.locator(".review-bar")).to_contain_text(text)


def saved(page: Page) -> None:
    expect(page.locator("[data-saved]")).to_have_text("Saved", timeout=60_000)


def grade(page: Page, number: int) -> None:
    expect(page.locator(".review-item:visible")).to_be_visible()
    page.keyboard.press(str(number))
    page.keyboard.press("Enter")


def test_every_answer_is_graded_by_keys_alone(
    site: Site, as_rita: Client, plain: ReviewRound, given: Callable[[], list[Review]]
) -> None:
    with opened(site, as_rita, plain) as page:
        bar(page, "0 of 12")
        for number in range(12):
            grade(page, number % 5 + 1)
            bar(page, f"{number + 1} of 12")
        expect(page.get_by_text("All graded")).to_be_visible()
        saved(page)
    assert [review.grade for review in given()] == [number % 5 + 1 for number in range(12)]


def test_criteria_marks_and_a_correction_by_keys(
    site: Site, as_rita: Client, by_rubric: ReviewRound, given: Callable[[], list[Review]]
) -> None:
    with opened(site, as_rita, by_rubric) as page:
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("Choose a grade: Right shelf")
        page.keyboard.press("4")
        page.keyboard.press("2")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("3")
        page.keyboard.press("c")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("Enter")
        page.keyboard.type("not asked")
        page.get_by_role("button", name="Add").press("Enter")
        expect(page.locator(".review-item:visible [data-marks]")).to_contain_text("not asked")
        page.keyboard.press("e")
        page.keyboard.type(" indeed")
        page.keyboard.press("Control+Enter")
        bar(page, "1 of 12")
        page.keyboard.press("5")
        page.keyboard.press("5")
        page.keyboard.press("5")
        page.keyboard.press("Enter")
        bar(page, "2 of 12")
        saved(page)
    first, second = given()
    shelf = first.round_item.item.reference.split(" ", 1)
    assert first.grades == {"Right shelf": 4, "Nothing added": 3}
    assert first.marks == [{"start": 6, "end": 6 + len(" ".join(shelf[1].split()[:2])),
                            "text": " ".join(shelf[1].split()[:2]), "note": "not asked"}]  # fmt: skip
    assert first.correction == f"{first.round_item.item.reference} indeed"
    assert second.grades == {"Right shelf": 5, "Nothing added": 5, "Style": 5}


def test_the_next_answer_is_there_before_it_is_asked_for(site: Site, as_rita: Client, plain: ReviewRound) -> None:
    with opened(site, as_rita, plain) as page:
        # Nobody reads an answer faster than the next ones come.
        expect(page.locator(".review-item").nth(5)).to_be_attached()
        page.context.set_offline(True)
        for number in range(1, 6):
            expect(page.locator(".review-item:visible")).to_have_attribute("data-number", str(number))
            grade(page, 4)
        expect(page.locator(".review-item:visible")).to_have_attribute("data-number", "6")
        page.context.set_offline(False)
        saved(page)


def test_undo_and_skip(
    site: Site, as_rita: Client, tenant: Tenant, plain: ReviewRound, given: Callable[[], list[Review]]
) -> None:
    with opened(site, as_rita, plain) as page:
        grade(page, 1)
        bar(page, "1 of 12")
        saved(page)
        page.keyboard.press("u")
        bar(page, "0 of 12")
        expect(page.locator(".review-item:visible :checked")).to_have_value("1")
        grade(page, 5)
        bar(page, "1 of 12")
        page.keyboard.press("s")
        page.keyboard.press("2")
        grade(page, 4)
        bar(page, "2 of 11")
        saved(page)
    assert [(review.round_item.position, review.grade) for review in given()] == [(1, 5), (3, 4)]
    with tenant_scope(tenant.id):
        assert Turn.objects.get(state="skipped").reason == "The text is broken"


def test_the_better_of_two(
    site: Site, as_rita: Client, tenant: Tenant, rita: User, run: EvaluationRun, given: Callable[[], list[Review]]
) -> None:
    with tenant_scope(tenant.id):
        base = EvaluatedModel.objects.get(run=run, kind="base")
        design = Design(labels=12, shares=UNIFORM, against=base, shape=RoundShape.PAIR)
        pairs = start_round(tenant=tenant, run=run, design=design, reviewers=[rita])
    with opened(site, as_rita, pairs) as page:
        for number in range(12):
            # The adapter knows every answer, and the base says so of none.
            expect(page.locator(".review-item:visible")).to_be_visible()
            texts = page.locator(".review-item:visible [data-answer]").all_text_contents()
            page.keyboard.press("2" if "I do not know." in texts[0] else "1")
            page.keyboard.press("Enter")
            bar(page, f"{number + 1} of 12")
        saved(page)
    assert {review.choice for review in given()} == {"candidate"}


def test_grades_survive_a_lost_connection_and_a_reload(
    site: Site, as_rita: Client, plain: ReviewRound, given: Callable[[], list[Review]]
) -> None:
    with opened(site, as_rita, plain) as page:
        expect(page.locator(".review-item")).to_have_count(6)
        page.context.set_offline(True)
        for number in range(3):
            grade(page, number + 2)
        expect(page.locator("[data-saved]")).to_have_text("3 grades wait to be sent")
        page.get_by_role("textbox", name="Comment").locator("visible=true").fill("half a thought")
        page.context.set_offline(False)
        page.reload()
        bar(page, "3 of 12")
        saved(page)
        expect(page.locator(".review-item:visible [name=comment]")).to_have_value("half a thought")
    assert [review.grade for review in given()] == [2, 3, 4]


def test_a_closed_round_says_so(site: Site, as_rita: Client, tenant: Tenant, plain: ReviewRound) -> None:
    with opened(site, as_rita, plain) as page:
        expect(page.locator(".review-item")).to_have_count(6)
        _close(plain, tenant)
        grade(page, 3)
        expect(page.get_by_role("alert")).to_contain_text("closed")
        expect(page.get_by_text("This round is closed")).to_be_visible()


def _close(review_round: ReviewRound, tenant: Tenant) -> None:
    def close() -> None:
        with tenant_scope(tenant.id):
            ReviewRound.objects.filter(pk=review_round.pk).update(state="closed")
        connection.close()

    # Beside Playwright, this thread may not use the database.
    thread = Thread(target=close)
    thread.start()
    thread.join()


def test_without_javascript_the_same_form_works(
    site: Site, as_rita: Client, plain: ReviewRound, given: Callable[[], list[Review]]
) -> None:
    with opened(site, as_rita, plain, java_script_enabled=False) as page:
        page.get_by_label("Comment").first.fill("by mouse")
        page.get_by_role("radio", name="4 Good").first.check(force=True)
        page.get_by_role("button", name="Save").first.click()
        bar(page, "1 of 12")
    assert [(review.grade, review.comment) for review in given()] == [(4, "by mouse")]


def test_nothing_keeps_anybody_out(site: Site, as_rita: Client, by_rubric: ReviewRound) -> None:
    with opened(site, as_rita, by_rubric) as page:
        for look in looks(page):
            page.reload()
            expect(page.locator(".review-item:visible")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), look
            assert Axe().run(page).response["violations"] == [], look


def test_many_answers_and_two_restarts(
    site: Site,
    as_rita: Client,
    tenant: Tenant,
    rita: User,
    make_evaluation: Callable[..., EvaluationRun],
    given: Callable[[], list[Review]],
) -> None:
    run = make_evaluation(tenant, rows=MANY)
    with tenant_scope(tenant.id):
        many = start(run, rita)
        assert EvaluationItem.objects.filter(run=run).count() == MANY
    with opened(site, as_rita, many) as page:
        for number in range(MANY):
            if number in STOPS:
                site.stop()
            if number - 3 in STOPS:
                site.start()
            expect(page.locator(".review-item:visible")).to_be_visible(timeout=60_000)
            page.evaluate(ANSWERED, str(number % 5 + 1))
        expect(page.get_by_text("All graded")).to_be_visible(timeout=60_000)
        saved(page)
    reviews = given()
    assert [review.grade for review in reviews] == [number % 5 + 1 for number in range(MANY)]
    assert len({review.round_item_id for review in reviews}) == MANY


ANSWERED = """grade => {
  const press = key => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
  const before = document.querySelector(".review-item:not([hidden])");
  press(grade);
  press("Enter");
  return new Promise(done => {
    const look = () => {
      const now = document.querySelector(".review-item:not([hidden]), [data-end]");
      if (now && now !== before) requestAnimationFrame(done);
      else setTimeout(look, 5);
    };
    look();
  });
}"""
"""Grades the answer that is shown, and waits for the next one."""
