"""Tenants' objects in Django's default storage: each key begins with the tenant it belongs to."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import structlog
from django.core.files import File
from django.core.files.storage import default_storage

from storage.backends import s3
from storage.errors import DiskFull, ObjectMissing, StorageUnavailable

CHUNK_BYTES = 1 << 20

log = structlog.get_logger(__name__)


def object_key(tenant_id: UUID, *parts: str) -> str:
    """`tenants/<tenant>/<parts>`; parts are generated names, never a customer's."""
    for part in parts:
        if not part or part in {".", ".."} or "/" in part or "\\" in part:
            raise ValueError(f"Not a valid object name: {part!r}")
    return "/".join(("tenants", str(tenant_id), *parts))


def put_file(key: str, path: Path) -> None:
    """Store a local file under `key`. The content of a key never changes, so a complete object is left as it is.

    An object that an interrupted writer left incomplete is written again. Raises StorageUnavailable, also while
    another writer has not completed the object.
    """
    size = path.stat().st_size
    with s3.answering():
        found = _size(key)
        if found == size:
            return
        if found is not None:
            default_storage.delete(key)
        with path.open("rb") as file:
            stored = default_storage.save(key, File(file))
        if stored != key:
            # Another writer was faster, and no row would refer to this copy.
            default_storage.delete(stored)
        if _size(key) != size:
            raise StorageUnavailable


def save_object(key: str, content: "File[Any]") -> str:
    """Store `content` and return its key, which is a different one if `key` is taken.

    Raises StorageUnavailable or DiskFull.
    """
    with storing():
        stored: str = default_storage.save(key, content)
    return stored


@contextmanager
def storing() -> Iterator[None]:
    """For storing received data: raise DiskFull if there is no room, StorageUnavailable for any other failure.

    FileNotFoundError passes through.
    """
    try:
        with s3.answering():
            yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull from error
        log.warning("storage_fails", error=type(error).__name__)
        raise StorageUnavailable from error


def open_object(key: str) -> IO[bytes]:
    """The object, open for reading. Raises FileNotFoundError or StorageUnavailable."""
    with s3.answering():
        return default_storage.open(key, "rb")


def get_file(key: str, path: Path) -> None:
    """Copy the object to a local file. Raises ObjectMissing or StorageUnavailable."""
    try:
        if _is_s3():
            s3.download(default_storage, key, path)
        else:
            shutil.copyfile(default_storage.path(key), path)
    except FileNotFoundError:
        raise ObjectMissing from None


def read_range(key: str, start: int, length: int) -> bytes:
    """At most `length` bytes from byte `start`, fewer at the end. Raises ObjectMissing or StorageUnavailable."""
    if not key:
        raise ObjectMissing
    try:
        if _is_s3():
            return s3.read_range(default_storage, key, start, length)
        with open_object(key) as file:
            file.seek(start)
            return file.read(length)
    except FileNotFoundError:
        raise ObjectMissing from None


def object_lines(key: str, start: int = 0) -> Iterator[bytes]:
    """Lines without line breaks from byte `start` on, read 1 MiB at a time. Raises ObjectMissing."""
    rest = b""
    while block := read_range(key, start, CHUNK_BYTES):
        start += len(block)
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
    if rest:
        yield rest


def delete_object(key: str) -> None:
    """Remove the object if it exists. Raises StorageUnavailable."""
    with s3.answering():
        default_storage.delete(key)


def place_in_s3(key: str) -> dict[str, str] | None:
    """The object's bucket and key as a source for S3's own copy. Returns None if the storage is not S3."""
    bucket = getattr(default_storage, "bucket", None)
    if bucket is None:
        return None
    return {"Bucket": bucket.name, "Key": s3.object_name(default_storage, key)}


def _size(key: str) -> int | None:
    """The object's size in bytes. Returns None if it does not exist."""
    try:
        return default_storage.size(key)
    except FileNotFoundError:
        return None


def _is_s3() -> bool:
    return getattr(default_storage, "bucket", None) is not None
