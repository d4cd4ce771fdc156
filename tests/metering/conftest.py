import datetime as dt
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from pytest_django import Settings

from lorakit.contracts import InvocationRecord
from metering.ledger.collector import collect
from tenants.models import Tenant


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
