"""Files and fixtures for uploads."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from corpora.models import Dataset, DatasetVersion
from corpora.versions.services import upload_version
from tenants.models import Tenant, User


def jsonl(*rows: Any) -> bytes:
    """One row per line."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def pairs(count: int, **extra: Any) -> bytes:
    """JSONL of `count` different prompts and completions."""
    return jsonl(*({"prompt": f"question {i}", "completion": f"answer {i}", **extra} for i in range(count)))


@pytest.fixture(autouse=True)
def upload_folder(tmp_path: Path, settings: Settings) -> Path:
    """An empty staging folder."""
    settings.UPLOAD_DIR = tmp_path / "uploads"
    return tmp_path / "uploads"


@pytest.fixture
def upload(in_tenant: Tenant, alice: User) -> Callable[..., DatasetVersion]:
    def send(content: bytes, *, dataset: Dataset | None = None, name: str = "Clauses") -> DatasetVersion:
        return upload_version(
            tenant=in_tenant,
            file=io.BytesIO(content),
            file_name="rows.jsonl",
            dataset_name=name,
            dataset=dataset,
            created_by=alice,
        )

    return send


@pytest.fixture
def checked(upload: Callable[..., DatasetVersion], run_jobs: Callable[..., None]) -> Callable[..., DatasetVersion]:
    """Upload and wait for the check to end."""

    def send(content: bytes, **options: Any) -> DatasetVersion:
        version = upload(content, **options)
        run_jobs()
        version.refresh_from_db()
        return version

    return send
