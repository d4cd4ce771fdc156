"""kill -9 of one process or of all: a real training ends well all the same, and callers notice nothing."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from openai import OpenAI

from lorakit.tiny.canaries import pack_canary
from portal.demo.client import PortalClient, wait_for_job
from portal.demo.datasets import demo_rows
from tests.site.conftest import RunningSite, running_site

pytestmark = pytest.mark.slow


def upload(client: PortalClient, name: str, rows: int) -> str:
    content = "".join(
        json.dumps(row) + "\n" for row in demo_rows("support", train=rows, test=20, unseen=0, seed=3)
    ).encode()
    version = client.post("datasets/", data={"name": name}, files={"file": ("rows.jsonl", content)})["version"]
    wait_for_job(client, version["job"]["id"], lambda job: None, seconds=60)
    return str(version["id"])


def follow_until(client: PortalClient, job_id: str, fraction: float) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while (job := client.get(f"jobs/{job_id}/"))["fraction"] < fraction:
        assert time.monotonic() < deadline, job
        assert job["state"] in {"queued", "running"}, job
        time.sleep(0.2)
    return dict(job)


def kill_all(pids: list[int]) -> None:
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def start_training(client: PortalClient, adapter: str) -> str:
    """The id of the job that trains `adapter`."""
    run = client.post(
        "training-runs/",
        json={
            "adapter": adapter,
            "dataset_version": upload(client, adapter, 480),
            "recipe": "structured",
            "overrides": {"epochs": 2},
        },
    )
    return str(run["job"]["id"])


def versions_of(client: PortalClient, adapter: str) -> int:
    return len([version for version in client.all("adapter-versions/") if version["adapter_name"] == adapter])


def test_a_training_survives_its_trainer_and_its_worker(site: RunningSite) -> None:
    with site.client("harbour-support") as client:
        job_id = start_training(client, "kill-test")
        follow_until(client, job_id, 0.5)
        kill_all(site.pids("-m lorakit.train"))
        follow_until(client, job_id, 0.6)
        kill_all(site.pids("celery", "worker"))
        job = wait_for_job(client, job_id, lambda job: None, seconds=240)
        assert job["attempts"] == 2, "the trainer began again once; the worker's death cost no attempt"
        events = client.get(f"jobs/{job_id}/events/")["events"]
        first_step = min(e["data"]["step"] for e in events if e["attempt"] == 2 and "step" in e["data"])
        assert first_step > 50, "the second attempt went on from a checkpoint"
        assert versions_of(client, "kill-test") == 1


def test_a_training_survives_the_death_of_the_whole_site(site_folder: Path) -> None:
    folder = site_folder / "killed"
    with running_site(folder) as site, site.client("harbour-support") as client:
        job_id = start_training(client, "blackout")
        follow_until(client, job_id, 0.3)
        site.process.kill()
    with running_site(folder) as site, site.client("harbour-support") as client:
        wait_for_job(client, job_id, lambda job: None, seconds=240)
        assert versions_of(client, "blackout") == 1


def test_callers_notice_no_death_of_the_engine_or_of_a_gateway(site: RunningSite, tmp_path: Path) -> None:
    package = tmp_path / "canary.tar.gz"
    pack_canary(settings.BASE_MODEL_DIR, package, seed=1)
    loaded = engine_of(site).post(
        "/v1/load_lora_adapter", json={"lora_name": "not-of-the-portal", "lora_path": str(package)}
    )
    assert loaded.is_success, loaded.text
    kill_all(site.pids("lorakit.serve"))
    assert ask(site)
    assert "not-of-the-portal" in [model["id"] for model in engine_of(site).get("/v1/models").json()["data"]]
    first, second = site.pids("serving.gateway")
    kill_all([first])
    deadline = time.monotonic() + 120
    while (running := site.pids("serving.gateway")) == [first, second] or len(running) < 2:
        assert time.monotonic() < deadline, "it was not started again"
        if first not in running:
            assert ask(site)
    assert second in running


def engine_of(site: RunningSite) -> httpx.Client:
    """The engine as the portal reaches it."""
    [pid] = site.pids("lorakit.serve")
    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    environment = dict(pair.partition("=")[::2] for pair in Path(f"/proc/{pid}/environ").read_text().split("\0"))
    return httpx.Client(
        base_url=f"http://127.0.0.1:{words[words.index('--port') + 1]}",
        headers={"authorization": f"Bearer {environment['ENGINE_API_KEY']}"},
        trust_env=False,
    )


def ask(site: RunningSite) -> str:
    """The base model's answer to a caller with a connection of its own, who asks once."""
    with OpenAI(base_url=f"{site.gateway_url}/v1", api_key=site.keys["harbour-support"], max_retries=0) as client:
        done = client.chat.completions.create(
            model="tiny-llama", messages=[{"role": "user", "content": "Hi"}], max_tokens=4, temperature=0
        )
    return done.choices[0].finish_reason
