"""The tus 1.0.0 protocol for resumable uploads (https://tus.io/protocols/resumable-upload): its headers.

Of its extensions: creation, termination, expiration.
"""

import base64
import binascii
import datetime as dt
import json
from typing import Any

from django.conf import settings
from django.utils.http import http_date
from rest_framework.request import Request

from corpora.models import Upload, UploadState
from rest.errors import PortalError

VERSION = "1.0.0"
BYTES = "application/offset+octet-stream"
CREATION = "pairs of a name, a space and a base64 value, separated by commas"


class WrongHeader(PortalError):
    """A header is missing or invalid."""

    code = "upload:wrong_header"

    def __init__(self, name: str, wanted: str, *, status: int = 400) -> None:
        super().__init__(f"Header {name} is missing or invalid. Send {wanted}.", field=name, status=status)


class WrongVersion(PortalError):
    """The client uses an unsupported version of the protocol."""

    code = "upload:wrong_version"
    status = 412

    def __init__(self) -> None:
        super().__init__(f"Send the header Tus-Resumable: {VERSION}.", field="Tus-Resumable")


class WrongContent(PortalError):
    """The data has the wrong content type."""

    code = "upload:wrong_content_type"
    status = 415

    def __init__(self) -> None:
        super().__init__(f"Send the data with the content type {BYTES}.", field="Content-Type")


def speaks_tus(request: Request) -> bool:
    """Whether the client uses the tus protocol. Raises WrongVersion if its version is not supported."""
    version = request.headers.get("Tus-Resumable", "")
    if version not in {"", VERSION}:
        raise WrongVersion
    return version == VERSION


def natural(request: Request, name: str, *, status: int = 400) -> int:
    """The value of a header that is a whole number of bytes. Raises WrongHeader."""
    value = request.headers.get(name, "")
    # isdecimal alone accepts digits of every script.
    if not (value.isascii() and value.isdecimal() and len(value) < 19):
        raise WrongHeader(name, "a whole number of bytes", status=status)
    return int(value)


def metadata(request: Request) -> dict[str, str]:
    """The decoded pairs of `Upload-Metadata`. Raises WrongHeader."""
    pairs: dict[str, str] = {}
    for item in filter(None, (item.strip() for item in request.headers.get("Upload-Metadata", "").split(","))):
        name, _, value = item.partition(" ")
        try:
            pairs[name] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise WrongHeader("Upload-Metadata", CREATION) from None
    return pairs


def options_of(pairs: dict[str, str]) -> dict[str, Any] | None:
    """The `options` of the metadata, a JSON object, or None without any. Raises WrongHeader."""
    if not pairs.get("options"):
        return None
    try:
        options = json.loads(pairs["options"])
    except ValueError:
        options = None
    if not isinstance(options, dict):
        raise WrongHeader("Upload-Metadata", "`options` as a JSON object")
    return options


def capabilities() -> dict[str, str]:
    """The tus headers that describe the capabilities of the server."""
    return {
        "Tus-Version": VERSION,
        "Tus-Extension": "creation,termination,expiration",
        "Tus-Max-Size": str(settings.MAX_UPLOAD_BYTES),
    }


def expires_at(upload: Upload) -> dt.datetime | None:
    """When the upload is removed unless it is continued. None once it has been imported."""
    if upload.state == UploadState.DONE:
        return None
    return upload.touched_at + dt.timedelta(hours=settings.UPLOAD_KEPT_HOURS)


def progress(upload: Upload) -> dict[str, str]:
    """The tus headers that describe the progress of the upload."""
    headers = {
        "Upload-Offset": str(upload.received),
        "Upload-Length": str(upload.bytes),
        "Cache-Control": "no-store",
    }
    expiry = expires_at(upload)
    return {**headers, "Upload-Expires": http_date(expiry.timestamp())} if expiry else headers
