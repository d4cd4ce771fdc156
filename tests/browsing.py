"""A signed-in page of the live server in a real Chromium."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, ViewportSize, sync_playwright
from pytest_django.live_server_helper import LiveServer

from scripts.browser import find, launch_arguments

DESKTOP: ViewportSize = {"width": 1280, "height": 720}
PHONE: ViewportSize = {"width": 390, "height": 844}


def looks(page: Page) -> Iterator[str]:
    """Makes the page's window that of a desktop and of a phone, light and dark; gives the name of each look.

    One page for all of them, since the rows behind it and the browser take far longer to make than to look at it.
    """
    for device, viewport in {"desktop": DESKTOP, "phone": PHONE}.items():
        for scheme in ("light", "dark"):
            page.set_viewport_size(viewport)
            page.emulate_media(color_scheme=scheme)
            yield f"{device}, {scheme}"


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
