"""The queue of a round of 20,000 answers, and the expert's screen in a browser.

`make bench-reviews`. A round of every answer of an evaluation (bench/grid_rows.py), two experts for each, half of them
graded by one of the two, is written into a PostgreSQL of its own. Measured: reserving the next answers, the request
that brings more of them to the screen, and in Chromium the time from Enter until the next answer is drawn, at the pace
of somebody who reads. `REVIEWS_ROWS` sets how many answers there are.
"""

import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from bench.report import Goal, finish
from bench.scale import running_services

ROWS = int(os.environ.get("REVIEWS_ROWS", "20000"))
TIMES = 50
GOALS: dict[str, Goal] = {
    "reserve the next answers ms": ("<=", 50.0),
    "more answers for the screen ms": ("<=", 250.0),
    "from Enter to the next answer ms": ("<=", 100.0),
}
DRAWN = """() => {
  const before = document.querySelector(".review-item:not([hidden])");
  const press = key => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
  press("4");
  const start = performance.now();
  press("Enter");
  return new Promise((done, failed) => {
    const look = () => {
      if (performance.now() - start > 10000) return failed(new Error("The next answer was not drawn."));
      const now = document.querySelector(".review-item:not([hidden])");
      if (now && now !== before) requestAnimationFrame(() => done(performance.now() - start));
      else setTimeout(look, 1);
    };
    look();
  });
}"""


def measure(owner_url: str) -> dict[str, float]:
    """Seed, and the figures in milliseconds, medians."""
    import django
    import psycopg

    django.setup()
    logging.disable(logging.WARNING)
    from django.test import Client
    from django.urls import reverse

    from bench import grid_rows
    from evaluations.reviews.queue.services import next_items
    from tenants.models import User
    from tenants.people.services import add_member, create_tenant
    from tenants.permissions import Role
    from tenants.scope import tenant_scope

    owner, expert = (User.objects.create_user(f"{name}@example.com", name=name.title()) for name in ("olive", "rita"))
    tenant = create_tenant(name="Large Law", owner=owner)
    writer = grid_rows.Writer()
    texts = grid_rows.Texts(expected=lambda: writer.text(writer.length(40)), wrong=writer.wrong)
    with tenant_scope(tenant.id):
        add_member(tenant=tenant, user=expert, role=Role.REVIEWER)
        run = grid_rows.answered_run(tenant, grid_rows.versions_of(tenant), writer, texts, rows=ROWS)
        large = grid_rows.half_graded_round(run, expert, owner)
        with psycopg.connect(owner_url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        reserve = _median(lambda: next_items(review_round=large, reviewer=expert, ahead=6))
    client = Client()
    client.force_login(expert, backend="django.contrib.auth.backends.ModelBackend")
    page = reverse("evaluations:review", args=[large.id])
    figures = {
        "reserve the next answers ms": reserve,
        "more answers for the screen ms": _median(lambda: client.get(page, {"ahead": 7})),
    }
    # Beside Playwright, this thread may not use the database.
    return figures | {"from Enter to the next answer ms": _in_a_browser(client, page)}


def _median(work: Callable[[], Any]) -> float:
    work()
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return median(times)


def _in_a_browser(client: Any, page_path: str) -> float:
    from django.conf import settings
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.test.testcases import LiveServerThread
    from playwright.sync_api import expect, sync_playwright

    from scripts.browser import find, launch_arguments

    server = LiveServerThread("localhost", StaticFilesHandler)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    url = f"http://localhost:{server.port}"
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find(), args=launch_arguments())
            context = browser.new_context()
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": url}])
            page = context.new_page()
            page.goto(url + page_path)
            times: list[float] = []
            for _ in range(TIMES):
                # Nobody reads an answer faster than the next one comes.
                following = page.locator(".review-item:not([hidden]) ~ .review-item")
                expect(following.first).to_be_attached(timeout=30_000)
                times.append(page.evaluate(DRAWN))
            expect(page.locator("[data-saved]")).to_have_text("Saved", timeout=60_000)
            browser.close()
    finally:
        server.terminate()
    return median(times)


def main() -> int:
    """Measure and report."""
    with tempfile.TemporaryDirectory(prefix="adapter-portal-bench-") as name, running_services(Path(name)) as owner_url:
        # Nothing is collected there: files are served as they are written.
        os.environ |= {"ALLOWED_HOSTS": "testserver,localhost", "STATIC_ROOT": str(Path(name) / "static")}
        figures = measure(owner_url)
    return finish("reviews", figures=figures, goals=GOALS, packages=("django", "psycopg", "playwright"))


if __name__ == "__main__":
    sys.exit(main())
