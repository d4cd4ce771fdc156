"""Reads objects of django-storages' S3Storage directly, because its file objects fetch the whole object."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from storage.errors import StorageUnavailable

log = structlog.get_logger(__name__)


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
