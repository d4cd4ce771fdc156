"""What a browser loads at its first visit: little, compressed, and never again."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.test import Client

from portal.embedded.process import free_port

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[3]
MOST_BYTES = 150 << 10
YEAR = 31_536_000


@pytest.fixture(scope="module")
def url(django_db_setup: None) -> Iterator[str]:
    """One server for all tests of this file."""
    port = free_port()
    subprocess.run([sys.executable, "manage.py", "collect"], cwd=ROOT, env=os.environ, check=True)
    server = subprocess.Popen([sys.executable, "-m", "portal.web", "--port", str(port), "--workers", "1"], cwd=ROOT)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 100
        while not _answers(url):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture
def browser(url: str) -> Iterator[httpx.Client]:
    """One that has not been here before."""
    headers = {"Accept-Encoding": "gzip, br", "Referer": url}
    with httpx.Client(base_url=url, headers=headers, timeout=60, follow_redirects=True) as browser:
        yield browser


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/sign-in/").status_code == 200
    except httpx.TransportError:
        return False


def test_a_first_visit_is_small_and_a_second_smaller(browser: httpx.Client, as_alice: Client) -> None:
    form = browser.get("/sign-in/")
    browser.cookies["sessionid"] = as_alice.cookies["sessionid"].value
    overview = browser.get("/")
    assert (overview.status_code, overview.url.path) == (200, "/")
    pages = [form, overview]
    assert all(page.headers["Content-Encoding"] == "gzip" for page in pages)
    names = {name for page in pages for name in re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)}
    assert len(names) > 8
    files = [browser.get(name) for name in sorted(names)]
    for file in files:
        assert file.status_code == 200, file.url
        assert re.search(r"\.[0-9a-f]{12}\.\w+$", file.url.path), f"{file.url} has no name of its content"
        said = file.headers["Cache-Control"]
        assert int(said.split("max-age=")[1].split(",")[0]) >= YEAR, said
        assert "immutable" in said
        if file.url.path.endswith((".css", ".js")):
            assert file.headers["Content-Encoding"] == "br", file.url
    sizes = {str(answer.url): answer.num_bytes_downloaded for answer in [*pages, *files]}
    assert sum(sizes.values()) <= MOST_BYTES, sizes


def test_scripts_import_one_another_by_those_names_too(browser: httpx.Client) -> None:
    folder = Path(os.environ["STATIC_ROOT"])
    [upload] = folder.glob("corpora/uploads/upload.*.js")
    imported = re.findall(r'from "\./([^"]+)"', upload.read_text())
    assert imported
    assert all((upload.parent / name).exists() for name in imported)


def test_a_page_has_no_length_of_its_own(browser: httpx.Client) -> None:
    lengths = {browser.get("/nothing/").headers["Content-Length"] for _ in range(20)}
    assert len(lengths) > 3
