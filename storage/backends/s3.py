"""Reads objects of django-storages' S3Storage directly, because its file objects fetch the whole object."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from storage.errors import StorageUnavailable

log = structlog.get_logger(__name__)

MOST_LISTED = 1000
"""That S3 gives at once."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """An object with its size, and what its storage is priced as."""

    key: str
    bytes: int
    storage_class: str


def object_name(storage: Any, key: str) -> str:
    """The object's name in the bucket; the storage may put all its objects below a folder."""
    location: str = storage.location.strip("/")
    return f"{location}/{key}" if location else key


def read_range(storage: Any, key: str, start: int, length: int) -> bytes:
    """At most `length` bytes from byte `start`, none beyond the end. Raises FileNotFoundError."""
    with answering():
        try:
            answer = storage.bucket.Object(object_name(storage, key)).get(Range=f"bytes={start}-{start + length - 1}")
        except ClientError as error:
            if error.response["Error"]["Code"] == "InvalidRange":
                return b""
            raise
        body: bytes = answer["Body"].read()
        return body


def download(storage: Any, key: str, path: Path) -> None:
    """Download the object to a local file, several parts at once. Raises FileNotFoundError."""
    with answering():
        storage.bucket.download_file(object_name(storage, key), str(path))


def listed(storage: Any, prefix: str, *, after: str, most: int) -> list[Stored]:
    """The next objects below a prefix after a key, by key; without parts of unfinished uploads."""
    skipped = len(object_name(storage, "x")) - 1
    found: list[Stored] = []
    while len(found) < most:
        asked = min(MOST_LISTED, most - len(found))
        with answering():
            answer = storage.bucket.meta.client.list_objects_v2(
                Bucket=storage.bucket.name,
                Prefix=object_name(storage, prefix),
                StartAfter=object_name(storage, after) if after else "",
                MaxKeys=asked,
            )
        objects = answer.get("Contents", [])
        for one in objects:
            storage_class = str(one.get("StorageClass", "STANDARD"))
            found.append(Stored(key=one["Key"][skipped:], bytes=int(one["Size"]), storage_class=storage_class))
        if not answer.get("IsTruncated") or not objects:
            break
        after = found[-1].key
    return found


@contextmanager
def answering() -> Iterator[None]:
    """Raise FileNotFoundError for a missing object, StorageUnavailable for any other error or time-out of S3."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in {"NoSuchKey", "NoSuchUpload", "404"}:
            raise FileNotFoundError from None
        log.warning("storage_refuses", code=code)
        raise StorageUnavailable from error
    except (BotoCoreError, Boto3Error) as error:
        log.warning("storage_silent", error=type(error).__name__)
        raise StorageUnavailable from error
