"""The whole line as an admin and an expert walk it, in a real Chromium, on the whole site."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from portal.demo.cast import TENANTS
from portal.demo.datasets import demo_rows
from scripts.browser import find, launch_arguments
from tests.site.conftest import PASSWORD, ROOT, RunningSite

# The steps below have bounds of their own; a busy machine may need most of each.
pytestmark = [pytest.mark.timeout(900), pytest.mark.slow]

LAW = TENANTS[0]
TRAINING_MS = 240_000
STEP_MS = 60_000
PAGES = (
    "/",
    "/datasets/",
    "/datasets/upload/",
    "/adapters/",
    "/adapters/train/",
    "/adapters/runs/",
    "/adapters/sweeps/",
    "/adapters/sweeps/new/",
    "/jobs/",
    "/evaluations/",
    "/evaluations/reviews/",
    "/serving/",
    "/serving/playground/",
    "/usage/",
    "/keys/",
    "/members/",
    "/password/",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = find()
    assert program, "no Chromium here: `make test` installs one, or run scripts/browser.py"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=launch_arguments())
        yield browser
        browser.close()


class Visitor:
    """A signed-in person with a page; every console error fails the test at the end."""

    def __init__(self, browser: Browser, site: RunningSite, email: str, **options: object) -> None:
        self.context = browser.new_context(base_url=site.web_url, **options)  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(STEP_MS)
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.page.goto("/sign-in/")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(lambda url: "sign-in" not in url)

    def close(self) -> None:
        assert self.errors == []
        self.context.close()


def write_dataset(path: Path) -> None:
    rows = demo_rows("legal", train=400, test=30, unseen=10, seed=11)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def accessibility_problems(page: Page) -> list[str]:
    """What axe finds more than minor, with the elements at fault."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{page.url} {problem['id']}: {problem['nodes'][0]['target']}"
        for problem in found
        if problem["impact"] != "minor"
    ]


def test_from_sign_in_to_cost(site: RunningSite, browser: Browser, tmp_path: Path) -> None:
    admin = Visitor(browser, site, LAW.admin)
    page = admin.page

    page.get_by_role("main").get_by_role("link", name="Upload a dataset").first.click()
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"messages": []}\nnot json\n', encoding="utf-8")
    page.get_by_label("File", exact=True).set_input_files(broken)
    expect(page.get_by_text("dataset:broken_line").first).to_be_visible(timeout=STEP_MS)
    assert accessibility_problems(page) == []
    expect(page.get_by_role("button", name="Use these rows")).to_have_count(0)

    page.goto("/datasets/upload/")
    clauses = tmp_path / "clauses.jsonl"
    write_dataset(clauses)
    page.get_by_label("File", exact=True).set_input_files(clauses)
    page.get_by_label("Name of the new dataset").fill("Clauses")
    assert accessibility_problems(page) == []
    page.get_by_role("button", name="Use these rows").click()
    expect(page.get_by_text("Ready").first).to_be_visible(timeout=STEP_MS)

    page.get_by_role("link", name="Train adapter").first.click()
    page.get_by_label("Adapter name").fill("clauses")
    page.locator("#recipes label", has_text="Style and format").click()
    page.get_by_role("button", name="Start training").click()

    expect(page.get_by_role("progressbar").first).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Train clauses")
    expect(page.get_by_text("Succeeded").first).to_be_visible(timeout=TRAINING_MS)
    expect(page.locator(".js-plotly-plot").first).to_be_visible()

    page.goto("/adapters/")
    page.get_by_role("link", name="clauses", exact=True).click()
    page.get_by_role("main").get_by_role("link", name="v1").first.click()
    version_url = page.url
    # It began by itself when the training ended.
    page.goto("/evaluations/")
    page.get_by_role("link", name="clauses v1").click()
    evaluation_url = page.url
    page.get_by_role("link", name="Figures").click(timeout=TRAINING_MS)
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    figures_url = page.url

    page.goto(evaluation_url)
    page.get_by_role("link", name="Start review round").click()
    page.get_by_role("button", name="Start review round").click()
    expect(page.get_by_role("main")).to_contain_text("Review round 1")
    review_as_expert(site, browser)

    page.goto(version_url)
    page.get_by_role("button", name="Promote v1").click()
    page.get_by_role("dialog").get_by_role("button", name="Promote").click()
    page.wait_for_url("**#promotion")
    expect(page.locator("#promotion").get_by_text("Live", exact=True)).to_be_visible(timeout=STEP_MS)

    page.goto("/serving/playground/")
    page.locator(".list-group-item-action").first.click()
    page.get_by_role("button", name="Ask both").click()
    for answers in ("Adapter: clauses", "Base:"):
        expect(page.get_by_role("region", name=answers)).to_contain_text("output tokens", timeout=STEP_MS)

    expect(page.get_by_role("main")).not_to_contain_text("went wrong")
    # The gateway's ledger is collected every few seconds.
    for _ in range(20):
        page.goto("/usage/")
        if page.get_by_role("rowheader", name="clauses").count():
            break
        page.wait_for_timeout(1000)
    expect(page.get_by_role("rowheader", name="clauses").first).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("$")

    problems = []
    for address in (*PAGES, version_url, evaluation_url, figures_url):
        page.goto(address)
        problems += accessibility_problems(page)
    assert problems == []
    admin.close()


def review_as_expert(site: RunningSite, browser: Browser) -> None:
    """Grades with the keyboard alone, and sees nothing but reviews."""
    expert = Visitor(browser, site, LAW.expert)
    page = expert.page
    page.wait_for_url("**/evaluations/reviews/")
    expect(page.get_by_role("navigation").get_by_role("link", name="Datasets")).to_have_count(0)
    page.get_by_role("link", name=re.compile("Start reviewing|Continue")).first.focus()
    page.keyboard.press("Enter")
    # Said once the keys are listened to.
    expect(page.locator("[data-saved]")).to_have_text("Saved")
    for graded in range(3):
        expect(page.locator(".review-item:visible")).to_be_visible()
        page.keyboard.press("4")
        page.keyboard.press("Enter")
        expect(page.locator(".review-bar")).to_contain_text(f"{graded + 1} of")
    expect(page.locator("[data-saved]")).to_have_text("Saved")
    assert accessibility_problems(page) == []
    expert.close()


def test_a_second_tenant_and_its_member_need_no_script(site: RunningSite, browser: Browser) -> None:
    command = [sys.executable, "manage.py", "tenant", "add", "Birch Bank", "--owner", "olga@example.com"]
    added = subprocess.run(command, cwd=ROOT, env=site.env, capture_output=True, text=True, check=True)
    owners_path = urlsplit(re.findall(r"https?://\S+", added.stdout)[0]).path

    owner = browser.new_context(base_url=site.web_url).new_page()
    owner.goto(owners_path)
    owner.get_by_label("New password", exact=True).fill(PASSWORD)
    owner.get_by_label("confirmation").fill(PASSWORD)
    owner.get_by_role("button", name="Set password").click()
    owner.get_by_label("E-mail").fill("olga@example.com")
    owner.get_by_label("Password").fill(PASSWORD)
    owner.get_by_role("button", name="Sign in").click()
    owner.get_by_role("link", name="Members").click()
    owner.get_by_label("E-mail").fill("nina@example.com")
    owner.get_by_label("Role", exact=True).select_option("reviewer")
    owner.get_by_role("button", name="Invite member").click()
    expect(owner.get_by_test_id("invitation")).to_contain_text("nina@example.com")
    assert accessibility_problems(owner) == []
    link = owner.locator("#link").inner_text()
    owner.reload()
    expect(owner.locator("#link")).to_have_count(0)

    guest = browser.new_context(base_url=site.web_url).new_page()
    guest.goto(link)
    assert accessibility_problems(guest) == []
    guest.get_by_label("Your name").fill("Nina")
    guest.get_by_label("New password", exact=True).fill(PASSWORD)
    guest.get_by_label("confirmation").fill(PASSWORD)
    guest.get_by_role("button", name="Create account and join").click()
    expect(guest.get_by_role("heading", name="Reviews")).to_be_visible()

    owner.reload()
    expect(owner.get_by_test_id("member")).to_have_count(2)
    owner.get_by_label("Role of Nina").select_option("member")
    expect(owner.get_by_text("Nina is now member.")).to_be_visible()
    guest.goto("/")
    expect(guest.get_by_role("link", name="Datasets", exact=True).first).to_be_visible()
    owner.get_by_role("button", name="Remove Nina").click()
    owner.get_by_role("button", name="Remove member").click()
    expect(owner.get_by_test_id("member")).to_have_count(1)
    guest.reload()
    expect(guest.get_by_role("heading", name="No organisation yet")).to_be_visible()
    for page in (owner, guest):
        page.context.close()


def test_an_upload_survives_a_lost_connection_and_a_refresh(
    site: RunningSite, browser: Browser, tmp_path: Path
) -> None:
    admin = Visitor(browser, site, LAW.admin)
    page = admin.page
    page.on("dialog", lambda dialog: dialog.accept())
    network = admin.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 4 << 20}
    network.send("Network.emulateNetworkConditions", slow)
    rows = tmp_path / "many rows.jsonl"
    rows.write_text("".join(f'{{"prompt": "question {i}", "completion": "{"x" * 900}"}}\n' for i in range(40_000)))
    upload = page.get_by_role("listitem").filter(has_text="many rows.jsonl")

    # A file that is chosen before the script has come is sent all the same.
    held: list[Route] = []
    script = "**/corpora/uploads/upload*.js"
    page.route(script, lambda route: held.append(route))
    with page.expect_request(script):
        page.goto("/datasets/upload/", wait_until="commit")
    page.get_by_label("File", exact=True).set_input_files(rows)
    assert upload.count() == 0
    held[0].continue_()
    page.unroute_all()
    upload.get_by_role("button", name="Pause").click()
    expect(upload.get_by_text("Paused")).to_be_visible()
    upload.get_by_role("button", name="Resume").click()
    expect(upload.get_by_text("left")).to_be_visible()

    network.send("Network.emulateNetworkConditions", slow | {"offline": True})
    expect(upload.get_by_text("Connection lost")).to_be_visible()
    network.send("Network.emulateNetworkConditions", slow)
    expect(upload.get_by_text("Uploading")).to_be_visible()
    expect(upload.get_by_role("progressbar")).not_to_have_attribute("value", "0")
    admin.errors.clear()  # Chromium reports the requests that were cut off.

    page.reload()
    expect(upload.get_by_text("Choose the file again")).to_be_visible()
    assert accessibility_problems(page) == []
    begun = upload.get_attribute("data-upload")
    network.send("Network.emulateNetworkConditions", slow | {"uploadThroughput": -1})
    page.get_by_label("File", exact=True).set_input_files(rows)
    page.wait_for_url(f"**/datasets/uploads/{begun}/")
    expect(page.get_by_text("question 0", exact=True).first).to_be_visible()
    page.goto("/datasets/upload/")
    upload.get_by_role("button", name="Discard").click()
    expect(upload).to_have_count(0)
    admin.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_a_phone(site: RunningSite, browser: Browser, scheme: str) -> None:
    phone = Visitor(browser, site, LAW.admin, color_scheme=scheme, viewport={"width": 375, "height": 740})
    too_wide = []
    for address in PAGES:
        phone.page.goto(address)
        if phone.page.evaluate("document.documentElement.scrollWidth") > 375:
            too_wide.append(address)
        assert accessibility_problems(phone.page) == []
    assert too_wide == []
    phone.close()
