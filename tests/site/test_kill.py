"""kill -9 of the trainer and of the worker in the middle of a real training: the job ends well all the same."""

import json
import os
import signal
import time
from typing import Any

from portal.demo.client import PortalClient, wait_for_job
from portal.demo.datasets import demo_rows
from tests.site.conftest import RunningSite


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


def test_a_training_survives_both(site: RunningSite) -> None:
    with site.client("harbour-support") as client:
        run = client.post(
            "training-runs/",
            json={
                "adapter": "kill-test",
                "dataset_version": upload(client, "kill test", 480),
                "recipe": "structured",
                "overrides": {"epochs": 2},
            },
        )
        job_id = run["job"]["id"]
        follow_until(client, job_id, 0.5)
        kill_all(site.pids("-m lorakit.train"))
        follow_until(client, job_id, 0.6)
        kill_all(site.pids("celery", "worker"))
        job = wait_for_job(client, job_id, lambda job: None, seconds=240)
        assert job["attempts"] == 2, "the trainer began again once; the worker's death cost no attempt"
        events = client.get(f"jobs/{job_id}/events/")["events"]
        first_step = min(e["data"]["step"] for e in events if e["attempt"] == 2 and "step" in e["data"])
        assert first_step > 50, "the second attempt went on from a checkpoint"
        versions = client.all("adapter-versions/")
        assert len([v for v in versions if v["adapter_name"] == "kill-test"]) == 1
