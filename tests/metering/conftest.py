import datetime as dt
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from pytest_django import Settings

from adapters.models import Adapter, AdapterVersion, BaseModel, TrainingRun
from corpora.models import Dataset, DatasetVersion, VersionState
from jobs.models import Job
from jobs.states import State
from lorakit.contracts import InvocationRecord
from metering.ledger.collector import collect
from metering.usage.ranges import HOUR
from serving.backends import endpoints
from serving.backends.vllm import VllmEndpoint
from serving.endpoints.deployments import hold_deployment, move
from serving.endpoints.services import ensure_endpoint
from serving.models import Deployment, DeploymentState, Endpoint
from tenants.models import Tenant
from tenants.scope import tenant_scope

NOON = dt.datetime(2026, 10, 25, 12, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def long_memory(settings: Settings) -> None:
    """Tests name fixed days, which grow old."""
    settings.INVOCATION_MONTHS_KEPT = 240


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "ledger"
    folder.mkdir()
    return folder


@pytest.fixture
def record(tenant: Tenant) -> Callable[..., InvocationRecord]:
    """A record of Alice's tenant, a minute old unless told otherwise."""

    def make(**changes: object) -> InvocationRecord:
        plain = InvocationRecord(
            request_id=f"req-{uuid4().hex}", at=time.time() - 60, tenant_id=str(tenant.id), key_id=str(uuid4()),
            alias="legal", version_id=None, deployment=None, status=200, error_code="", prompt_tokens=10,
            completion_tokens=5, latency_ms=100.0, first_token_ms=None, busy_ms=40.0, streamed=False,
        )  # fmt: skip
        return replace(plain, **changes)  # type: ignore[arg-type]

    return make


@pytest.fixture
def write(folder: Path) -> Callable[..., Path]:
    """Append records to a finished ledger file."""

    def append(*records: InvocationRecord, name: str = "gateway-1.jsonl") -> Path:
        path = folder / name
        with path.open("ab") as file:
            file.writelines(record.to_json().encode() + b"\n" for record in records)
        return path

    return append


@pytest.fixture
def count(write: Callable[..., Path], folder: Path) -> Callable[..., int]:
    """Write records and collect them."""

    def run(*records: InvocationRecord) -> int:
        write(*records)
        return collect(folder)

    return run


def at(text: str) -> float:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()


@pytest.fixture
def dollar_endpoint(monkeypatch: pytest.MonkeyPatch, db: None) -> Endpoint:
    """An endpoint that costs a dollar an hour."""
    options = {
        "URL": "http://127.0.0.1:9",
        "ADAPTER_DIR": "unused",
        "PRICE_USD_PER_HOUR": 1.0,
        "PRICE_SOURCE": "a quote",
    }
    monkeypatch.setitem(endpoints.built, "default", VllmEndpoint("default", options))
    base = BaseModel.objects.create(name="tiny-llama", title="Tiny", location="nowhere")
    return ensure_endpoint(name="shared", backend="default", base_model=base)


@pytest.fixture
def hold(dollar_endpoint: Endpoint) -> Callable[..., AdapterVersion]:
    """A trained version on the endpoint, since `since`."""

    def put(tenant: Tenant, name: str, since: dt.datetime = NOON - HOUR) -> AdapterVersion:
        endpoint = dollar_endpoint
        with tenant_scope(tenant.id):
            job = Job.objects.create(kind="training", title="Train", state=State.SUCCEEDED)
            data = DatasetVersion.objects.create(
                dataset=Dataset.objects.create(name=name), number=1, state=VersionState.READY, file_name="rows.jsonl",
                upload_sha256="0" * 64, upload_bytes=1, upload_key="none",
            )  # fmt: skip
            adapter = Adapter.objects.create(name=name, base_model=endpoint.base_model)
            run = TrainingRun.objects.create(adapter=adapter, dataset_version=data, job=job, recipe="style")
            version = AdapterVersion.objects.create(
                adapter=adapter, number=1, run=run, package_key="none", package_sha256=uuid4().hex * 2, package_bytes=1,
                rank=4,
            )  # fmt: skip
            deployment = hold_deployment(endpoint=endpoint, version=version)
            assert move(deployment, DeploymentState.IN_SERVICE)
            Deployment.objects.filter(id=deployment.id).update(in_service_at=since)
        return version

    return put
