"""A signed-in page of the live server in a real Chromium."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from scripts.browser import find, launch_arguments

PHONE = {"width": 390, "height": 844}


@contextmanager
def browsing(server: LiveServer, client: Client, **options: Any) -> Iterator[Page]:
    """A page with the client's session; errors of its scripts fail the test.

    While it is open this thread counts as asynchronous and may not use the database, so it is no fixture.
    """
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=launch_arguments())
        context = browser.new_context(base_url=server.url, reduced_motion="reduce", **options)
        name = settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": server.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        browser.close()
    assert errors == []
