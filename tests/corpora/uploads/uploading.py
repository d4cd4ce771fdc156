"""Uploads through the API client."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.test import Client
from django.urls import reverse
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
    """Start an upload of `size` bytes and return the response."""
    said = {name: json.dumps(value) if isinstance(value, dict) else str(value) for name, value in pairs.items()}
    headers = {**TUS, "Upload-Length": str(size), "Upload-Metadata": metadata({"filename": "rows.jsonl", **said})}
    return api.post(UPLOADS, headers=headers)


def send(api: APIClient, url: str, data: bytes, *, offset: int | str, **headers: str) -> Any:
    """Send data and return the response."""
    chosen = {**TUS, "Upload-Offset": str(offset), **headers}
    # The stubs accept only str.
    return api.generic("PATCH", url, data, content_type=BYTES, headers=chosen)  # type: ignore[arg-type]


def whole(api: APIClient, content: bytes, **pairs: Any) -> str:
    """Upload `content` in two requests and return its URL."""
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
    """The sizes in bytes of the staged files."""
    return {staging.staged_path(name): staging.staged_path(name).stat().st_size for name, _ in staging.staged_files()}


def format_page(upload: Upload) -> str:
    return reverse("corpora:upload-format", args=[upload.id])


def fields(client: Client, upload: Upload, **changed: str) -> dict[str, Any]:
    """The form data that a browser sends, with some fields `changed`."""
    form = client.get(format_page(upload)).context["form"]
    return {name: form[name].value() if form[name].value() is not None else "" for name in form.fields} | changed
