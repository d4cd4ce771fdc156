from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs import kinds
from jobs.backends.base import ComputeBackend, ComputeSpec
from jobs.compute.kinds import ComputeKind
from jobs.models import Job
from jobs.services import start_job
from tenants.models import Tenant
from tenants.scope import tenant_scope


class ToyKind(ComputeKind):
    """Runs tests.jobs.toy_run and remembers which hooks were called."""

    name = "toy"
    title = "Toy"
    poll_seconds = 0.05

    def __init__(self) -> None:
        self.ended: list[tuple[str, dict[str, Any]]] = []

    def prepare(self, job: Job) -> ComputeSpec:
        return ComputeSpec(module="tests.jobs.toy_run", spec=job.spec)

    def collect(self, job: Job, result: dict[str, Any], folder: Path, backend: ComputeBackend) -> dict[str, Any]:
        backend.fetch(job.external_name, "sum.txt", folder / "sum.txt")
        return {"sum": int((folder / "sum.txt").read_text()), **result["metrics"]}

    def on_succeeded(self, job: Job) -> None:
        self.ended.append(("succeeded", job.result))

    def on_failed(self, job: Job) -> None:
        self.ended.append(("failed", {"code": job.error_code}))

    def on_stopped(self, job: Job) -> None:
        self.ended.append(("stopped", {}))


@pytest.fixture
def toy() -> Iterator[ToyKind]:
    kind = ToyKind()
    kinds.register(kind)
    yield kind
    del kinds._kinds[kind.name]


@pytest.fixture
def start_toy(toy: ToyKind, tenant: Tenant) -> Callable[..., Job]:
    def start(owner: Tenant = tenant, **spec: Any) -> Job:
        with tenant_scope(owner.id):
            return start_job(tenant=owner, kind="toy", title="toy", spec=spec)

    return start
