"""Creates ready versions with the files of a check, without running one."""

import json
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any
from uuid import uuid4

import msgspec
import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from corpora.ingest.assembly.index import RECORD
from corpora.ingest.contracts import Message
from corpora.ingest.rows import row_id
from corpora.models import Dataset, DatasetVersion, VersionState
from corpora.versions.rows import Rows, StoredRow
from storage.objects import object_key
from tenants.scope import active_tenant_id


def chat(prompt: str, answer: str = "ok", *, group: str = "all", label: str | None = None) -> dict[str, Any]:
    """A row with one prompt and one answer."""
    messages = [Message("user", prompt), Message("assistant", answer)]
    return {
        "id": row_id(messages),
        "slice": group,
        "label": label,
        "messages": msgspec.to_builtins(messages),
    }


def finding(line: int, code: str = "dataset:missing_field", *, text: str = "Fill it in.", kept: bool = False) -> Any:
    return {"line": line, "field": "completion", "code": code, "text": text, "kept": kept}


def stored_version(
    dataset: Dataset,
    train: Sequence[dict[str, Any]],
    test: Sequence[dict[str, Any]] = (),
    *,
    findings: Sequence[Any] = (),
    lines: Sequence[int] = (),
    **fields: Any,
) -> DatasetVersion:
    """The next version of the dataset. `lines` are the rows' lines in the customer's file; default 1, 2, 3..."""
    content = {"train.jsonl": jsonl(train), "test.jsonl": jsonl(test), "findings.jsonl": jsonl(findings)}
    records = np.zeros(len(train) + len(test), RECORD)
    for part, rows in ((records[: len(train)], train), (records[len(train) :], test)):
        offset = 0
        for record, row in zip(part, rows, strict=True):
            size = len(jsonl([row])) - 1
            record["id"], record["offset"], record["bytes"] = bytes.fromhex(row["id"]), offset, size
            offset += size + 1
    records["line"] = lines or range(1, len(records) + 1)
    content["rows.idx"] = records.tobytes()
    folder = uuid4().hex
    keys = {name: _store(folder, name, data) for name, data in content.items()}
    defaults = {
        "number": dataset.versions.count() + 1,
        "state": VersionState.READY,
        "file_name": "rows.jsonl",
        "file_format": "jsonl",
        "upload_bytes": 1,
        "upload_sha256": folder * 2,
        "upload_key": _store(folder, "upload", b"the file"),
        "row_count": len(records),
        "train_count": len(train),
        "test_count": len(test),
        "profile": {"position": "line", "layout": "prompt and completion", "warnings": []},
    }
    files = {f"{PurePath(name).stem}_key": key for name, key in keys.items() if name != "rows.idx"}
    values = {**defaults, **files, "index_key": keys["rows.idx"], **fields}
    version: DatasetVersion = DatasetVersion.objects.create(dataset=dataset, **values)
    return version


def everything(version: DatasetVersion) -> list[StoredRow]:
    """All rows of a version."""
    return list(Rows(version))


def jsonl(rows: Sequence[Any]) -> bytes:
    """JSON Lines as the check writes them, with unescaped UTF-8."""
    return b"".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for row in rows)


def _store(folder: str, name: str, data: bytes) -> str:
    return default_storage.save(object_key(active_tenant_id(), "datasets", folder, name), ContentFile(data))
