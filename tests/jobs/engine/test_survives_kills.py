"""kill -9 of trainers, of the worker or of everything, again and again at random moments of real trainings."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings

from jobs.models import Job, JobEvent
from jobs.services import start_job
from jobs.states import TERMINAL, State
from lorakit.digest import file_sha256
from lorakit.package import PACKAGE
from tenants.models import Tenant
from tenants.scope import system_scope, tenant_scope
from tests.examples import is_thorough
from tests.jobs import tiny_training
from tests.jobs.worker import ROOT, Worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240), pytest.mark.slow]

SECONDS = 150.0


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    worker = Worker(tmp_path, tiny_training.__name__)
    yield worker
    worker.kill()


@dataclass(frozen=True)
class Undisturbed:
    """What the training comes to when nobody kills it: (step, loss) of every step, and its package's hash."""

    losses: set[tuple[int, float]]
    sha256: str


@pytest.fixture
def undisturbed(tmp_path: Path) -> Undisturbed:
    run = tmp_path / "undisturbed"
    (run / "inputs" / "train").mkdir(parents=True)
    (run / "inputs" / "train" / "rows.jsonl").write_bytes(tiny_training.rows())
    (run / "spec.json").write_text(json.dumps(tiny_training.tiny_spec()))
    subprocess.run([sys.executable, "-m", "lorakit.train", "--run-dir", str(run)], cwd=ROOT, check=True)
    events = [json.loads(line) for line in (run / "progress.jsonl").read_text().splitlines()]
    return Undisturbed(
        {(event["step"], event["loss"]) for event in events if "loss" in event},
        file_sha256(run / "output" / PACKAGE),
    )


def compute_root() -> Path:
    return Path(settings.COMPUTE["default"]["OPTIONS"]["ROOT"])


def trainers(*, saved: bool = False) -> list[int]:
    """Trainers of this test that are alive; only those that saved a checkpoint in this attempt."""
    found = []
    for path in compute_root().glob("tiny-training-*/pid"):
        log = path.with_name("progress.jsonl")
        pid = int(path.read_text() or "0")
        try:
            alive = pid and path.parent.name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
            if alive and (not saved or '"checkpoint"' in log.read_text()):
                found.append(pid)
        except OSError:
            continue
    return found


def kill(what: str, chance: random.Random, worker: Worker) -> None:
    """Kill it at a random moment; the worker comes back at once, as under the supervisor."""
    deadline = time.monotonic() + SECONDS
    while what != "worker" and not trainers(saved=what == "a training"):
        assert time.monotonic() < deadline, (worker.folder / "worker.log").read_text()[-4000:]
        time.sleep(0.05)
    time.sleep(chance.uniform(0.0, 0.5 if what == "a training" else 1.5))
    alive = trainers(saved=what == "a training")
    victims = {"worker": [], "everything": alive}.get(what, alive and [chance.choice(alive)])
    if what in {"worker", "everything"}:
        worker.kill()
    for pid in victims:
        # It may have ended well in this moment.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if what in {"worker", "everything"}:
        worker.start()


def ended_of(jobs: list[Job]) -> list[Job]:
    with system_scope():
        return list(Job.objects.filter(id__in=[job.id for job in jobs], state__in=TERMINAL))


def wait_for_the_end(worker: Worker, jobs: list[Job]) -> list[Job]:
    deadline = time.monotonic() + SECONDS
    while len(ended := ended_of(jobs)) < len(jobs):
        assert time.monotonic() < deadline, (worker.folder / "worker.log").read_text()[-4000:]
        time.sleep(0.1)
    return ended


def losses(job: Job) -> set[tuple[int, float]]:
    """Every (step, loss) that any attempt reported; a step done again with other rows would show a second loss."""
    with tenant_scope(job.tenant_id):
        events = JobEvent.objects.filter(job=job, type="metric")
        return {(event.data["step"], event.data["loss"]) for event in events if "loss" in event.data}


def test_kills_lose_nothing(worker: Worker, undisturbed: Undisturbed, tenant: Tenant, other_tenant: Tenant) -> None:
    tiny_training.store_rows()
    chance = random.Random(20)
    kills = (["a training"] * 3 + ["a trainer"] + ["worker"] * 4 + ["everything"] * 2) * (4 if is_thorough() else 1)
    chance.shuffle(kills)
    worker.start()
    jobs: list[Job] = []
    for what in kills:
        while len(jobs) - len(ended_of(jobs)) < 2:
            owner = (tenant, other_tenant)[len(jobs) % 2]
            with tenant_scope(owner.id):
                spec = tiny_training.tiny_spec()
                jobs.append(start_job(tenant=owner, kind="tiny_training", title="tiny", spec=spec))
        kill(what, chance, worker)
    ended = wait_for_the_end(worker, jobs)

    assert [job.state for job in ended] == [State.SUCCEEDED] * len(jobs), [job.error_code for job in ended]
    begun = Counter((compute_root() / "begun").read_text().split())
    assert set(begun.values()) == {1}, "an attempt ran more than once"
    assert len(begun) <= sum(job.attempt for job in ended)
    with system_scope():
        resumed = JobEvent.objects.filter(type="message", data__text__startswith="Resuming from step")
        assert resumed.count() >= len(kills) // 6, "hardly a kill hit a training"
    for job in ended:
        assert losses(job) == undisturbed.losses
        assert job.result == {"sha256": undisturbed.sha256}
