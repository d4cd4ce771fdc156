"""Take the documentation's screenshots of a site that has run the demo: docs/images/NAME-light.png and -dark.png.

Starts the site on this folder's data and stops it afterwards. Run `make demo ONCE=1` first.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

from django.conf import settings  # noqa: E402
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from portal.demo.cast import TENANTS  # noqa: E402
from portal.supervisor.console import Console  # noqa: E402
from portal.supervisor.site import Site  # noqa: E402
from portal.supervisor.supervisor import SupervisorError  # noqa: E402
from scripts.browser import find, launch_arguments  # noqa: E402

IMAGES = ROOT / "docs" / "images"


def first_row(page: Page) -> None:
    """Follow the first link of the first table."""
    page.locator("main table tbody a").first.click()


def stay(_page: Page) -> None:
    """Take the screenshot of the page itself."""


@dataclass(frozen=True)
class Picture:
    name: str
    path: str
    then: Callable[[Page], None] = stay
    width: int = 1280
    height: int = 800


PICTURES = (Picture("evaluation", "/evaluations/", first_row),)


def main() -> int:
    note = settings.PORTAL_VAR / "run" / "demo-password"
    program = find()
    if not note.exists() or program is None:
        print("There is no demo data. Run `make demo ONCE=1` first.", file=sys.stderr)
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    console = Console(settings.PORTAL_VAR / "log", screen=None)
    site = Site(
        var=settings.PORTAL_VAR, base_model=settings.BASE_MODEL_DIR, base_id=settings.BASE_MODEL_NAME, console=console
    )
    try:
        site.start()
        site.wait_ready()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=launch_arguments())
            for scheme in ("light", "dark"):
                take_all(browser, site.ports.web_url, TENANTS[0].admin, note.read_text(), scheme)
            browser.close()
    except SupervisorError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        site.stop()
        console.close()
    return 0


def take_all(browser: Browser, address: str, email: str, password: str, scheme: Literal["light", "dark"]) -> None:
    context = browser.new_context(base_url=address, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    page.goto("/sign-in/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    for picture in PICTURES:
        page.set_viewport_size({"width": picture.width, "height": picture.height})
        answer = page.goto(picture.path)
        if answer is None or not answer.ok:
            raise SupervisorError(f"{picture.path} did not load (status {answer and answer.status}).")
        picture.then(page)
        page.wait_for_load_state("networkidle")
        path = IMAGES / f"{picture.name}-{scheme}.png"
        page.screenshot(path=path, animations="disabled")
        print(path.relative_to(ROOT))
    context.close()


if __name__ == "__main__":
    sys.exit(main())
