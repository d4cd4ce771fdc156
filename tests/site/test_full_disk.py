"""The disk fills up: the site says so, loses nothing, and is whole again soon after there is room, by itself."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from portal.demo.client import wait_for_job
from portal.demo.datasets import demo_rows
from storage.errors import DiskFull
from tests.site.conftest import PASSWORD, RunningSite, running_site

DISK_BYTES = 400 << 20
FULL_SECONDS = 20.0
RECOVERY_SECONDS = 30.0
RECOVERED = "the disk has room again"
PARTS = ("lorakit.serve", "portal.web", "serving.gateway", "worker", "beat", "postgres")


def _can_mount() -> bool:
    mount = ["unshare", "--mount", "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/tmp"]
    try:
        return os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not _can_mount(), reason="only root may make a small disk"),
]


def sign_in(site: RunningSite) -> httpx.Response:
    with httpx.Client(base_url=site.web_url, timeout=30, headers={"Referer": site.web_url}) as browser:
        form = browser.get("/sign-in/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)
        if token is None:
            return form
        fields = {"username": "admin@alder-law.example", "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
        return browser.post("/sign-in/", data=fields)


def begin_upload(site: RunningSite) -> httpx.Response:
    headers = {"Authorization": f"Bearer {site.keys['alder-law']}"}
    body = {"file_name": "rows.jsonl", "bytes": 1000}
    return httpx.post(f"{site.web_url}/api/v1/uploads/", json=body, headers=headers, timeout=30)


def complete(site: RunningSite) -> httpx.Response:
    headers = {"Authorization": f"Bearer {site.keys['alder-law']}"}
    body = {"model": "tiny-llama", "prompt": "Hello", "max_tokens": 1}
    return httpx.post(f"{site.gateway_url}/v1/completions", json=body, headers=headers, timeout=30)


def fill(folder: Path) -> Path:
    """Leave no byte, not even what a freed block would hold."""
    path = folder / "filling"
    with path.open("ab", buffering=0) as file:
        for block in (1 << 20, 4096, 1):
            try:
                while file.write(bytes(block)):
                    pass
            except OSError:
                continue
    return path


def is_refused_with_the_reason(answer: httpx.Response) -> bool:
    assert answer.status_code in {200, 201, 302, 507}, answer.text
    return answer.status_code == 507 and DiskFull().text in answer.text


def faults(site: RunningSite) -> list[str]:
    """What is not as it should be."""
    found = [part for part in PARTS if not site.pids(part)]
    try:
        health = [httpx.get(url, timeout=5) for url in (f"{site.web_url}/health/", f"{site.gateway_url}/health")]
        found += [f"{answer.url}: {answer.status_code}" for answer in health if answer.status_code != 200]
        if (answer := sign_in(site)).status_code != 302:
            found.append(f"sign-in: {answer.status_code}")
        if (answer := begin_upload(site)).status_code != 201:
            found.append(f"upload: {answer.status_code}")
        if (answer := complete(site)).status_code != 200:
            found.append(f"gateway: {answer.status_code}")
    except httpx.TransportError as error:
        found.append(repr(error))
    return found


def become_whole(site: RunningSite, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while found := faults(site):
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def check_a_file(site: RunningSite) -> None:
    """The worker, the broker, the database and the disk of objects do their parts."""
    rows = demo_rows("support", train=30, test=5, unseen=0, seed=3)
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    with site.client("alder-law") as client:
        files = {"file": ("rows.jsonl", content)}
        version = client.post("datasets/", data={"name": f"rows {time.time()}"}, files=files)["version"]
        wait_for_job(client, version["job"]["id"], lambda job: None, seconds=60)


def fill_and_empty(site: RunningSite, inside: Path, *, database_dies: bool) -> None:
    """The site on a disk that fills up and, after a while, is empty again."""
    gateway, log = site.pids("serving.gateway"), inside / "log" / "portal.log"
    recoveries = log.read_text().count(RECOVERED)
    filling = fill(inside)
    if database_dies:
        os.kill(int((inside / "postgres" / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    full_since = time.monotonic()
    while not is_refused_with_the_reason(sign_in(site)):
        fill(inside)
    assert is_refused_with_the_reason(begin_upload(site))
    refused = complete(site)
    assert (refused.status_code, refused.json()["error"]["code"]) == (507, "disk_full")
    # By then whatever writes now and then has failed to: heartbeats, the broker's log, the database's restarts.
    while time.monotonic() - full_since < FULL_SECONDS:
        fill(inside)
        time.sleep(0.5)
    assert site.process.poll() is None
    assert site.pids("serving.gateway") == gateway
    filling.unlink()
    become_whole(site, RECOVERY_SECONDS)
    check_a_file(site)
    assert log.read_text().count(RECOVERED) > recoveries


def test_the_site_says_so_and_recovers(site_folder: Path) -> None:
    folder = site_folder / "full-disk"
    folder.mkdir(mode=0o755)
    with running_site(folder, disk_bytes=DISK_BYTES) as site:
        inside = Path(f"/proc/{site.process.pid}/root{folder}")
        check_a_file(site)
        become_whole(site, RECOVERY_SECONDS)
        fill_and_empty(site, inside, database_dies=False)
        fill_and_empty(site, inside, database_dies=True)
