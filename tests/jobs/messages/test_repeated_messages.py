"""Every message delivered three times, at once: the same end, and one run."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection

from jobs.backends.base import ComputeSpec
from jobs.backends.local import LocalCompute
from jobs.engine.reconciler import jobs_to_step
from jobs.models import Job
from jobs.states import State
from jobs.tasks import reconcile, start_queued, step
from tenants.models import Tenant
from tenants.scope import system_scope
from tests.jobs.conftest import ToyKind

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def deliver(message: Callable[[], None]) -> None:
    try:
        message()
    finally:
        connection.close()


def test_three_of_each_do_what_one_does(
    toy: ToyKind,
    start_toy: Callable[..., Job],
    tenant: Tenant,
    other_tenant: Tenant,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: Counter[str] = Counter()
    spawn = LocalCompute._spawn

    def spawn_and_count(self: LocalCompute, run: Path, module: str) -> None:
        started[run.name] += 1
        spawn(self, run, module)

    monkeypatch.setattr(LocalCompute, "_spawn", spawn_and_count)
    jobs = [start_toy(owner, steps=5, seconds_per_step=0.05) for owner in (tenant, other_tenant, tenant, other_tenant)]
    deadline = time.monotonic() + 60
    with ThreadPoolExecutor(6) as workers:
        while True:
            steps = [lambda job_id=job_id: step(str(job_id)) for job_id in jobs_to_step()]
            for _ in workers.map(deliver, [reconcile, start_queued, *steps] * 3):
                pass
            with system_scope():
                ended = list(Job.objects.filter(state=State.SUCCEEDED))
            if len(ended) == len(jobs):
                break
            assert time.monotonic() < deadline, "the jobs did not end in time"
            time.sleep(0.05)
    assert {job.attempt for job in ended} == {1}
    assert toy.ended == [("succeeded", {"sum": 15, "first": 0.0})] * len(jobs)
    assert started == Counter({job.external_name: 1 for job in ended})


def test_submitting_three_times_at_once_starts_one_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    backend = LocalCompute("test", {"ROOT": tmp_path})
    started: list[str] = []
    prepare = LocalCompute._prepare

    def prepare_slowly(self: LocalCompute, run: Path, spec: ComputeSpec) -> bool:
        time.sleep(0.2)
        return prepare(self, run, spec)

    monkeypatch.setattr(LocalCompute, "_prepare", prepare_slowly)
    monkeypatch.setattr(LocalCompute, "_spawn", lambda self, run, module: started.append(run.name))
    with ThreadPoolExecutor(3) as workers:
        for _ in workers.map(lambda _: backend.submit("toy-1", ComputeSpec(module="toy", spec={})), range(3)):
            pass
    backend.submit("toy-1", ComputeSpec(module="toy", spec={}))
    assert started == ["toy-1"]
