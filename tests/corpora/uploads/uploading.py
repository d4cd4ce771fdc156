"""Uploads as a program makes them."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rest_framework.test import APIClient

from corpora.models import Upload
from corpora.uploads import staging
from storage.objects import open_object

UPLOADS = "/api/v1/uploads/"
TUS = {"Tus-Resumable": "1.0.0"}
BYTES = "application/offset+octet-stream"


def metadata(pairs: Mapping[str, str]) -> str:
    """The header `Upload-Metadata`."""
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in pairs.items())


def begin(api: APIClient, size: int | str, **pairs: Any) -> Any:
    """The answer to the beginning of an upload of `size` bytes."""
    said = {name: json.dumps(value) if isinstance(value, dict) else str(value) for name, value in pairs.items()}
    headers = {**TUS, "Upload-Length": str(size), "Upload-Metadata": metadata({"filename": "rows.jsonl", **said})}
    return api.post(UPLOADS, headers=headers)


def send(api: APIClient, url: str, data: bytes, *, offset: int | str, **headers: str) -> Any:
    """The answer to some bytes."""
    chosen = {**TUS, "Upload-Offset": str(offset), **headers}
    # The stubs know of text only.
    return api.generic("PATCH", url, data, content_type=BYTES, headers=chosen)  # type: ignore[arg-type]


def whole(api: APIClient, content: bytes, **pairs: Any) -> str:
    """Upload `content` in two bites and return its address."""
    answer = begin(api, len(content), **pairs)
    assert answer.status_code == 201, answer.content
    url: str = answer["Location"]
    half = len(content) // 2
    assert send(api, url, content[:half], offset=0).status_code == 204
    assert send(api, url, content[half:], offset=half).status_code == 204
    return url


def stored(upload: Upload) -> bytes:
    """The upload's file in storage."""
    with open_object(upload.key) as file:
        return file.read()


def staged_bytes() -> dict[Path, int]:
    """Sizes of the files that are on their way in."""
    return {staging.staged_path(name): staging.staged_path(name).stat().st_size for name, _ in staging.staged_files()}
