"""Objects of a tenant in Django's default storage: each key begins with the tenant it belongs to."""

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
            raise ValueError(f"not a name for an object: {part!r}")
    return "/".join(("tenants", str(tenant_id), *parts))


def put_file(key: str, path: Path) -> None:
    """Store a local file under `key`; a key names content that never changes, so a whole one is left alone.

    One that an interrupted writer left too short is written again. Raises StorageUnavailable, also where another
    writer is at it and its object is not whole yet.
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
            # Another writer was there first, and no row would name this copy.
            default_storage.delete(stored)
        if _size(key) != size:
            raise StorageUnavailable


def save_object(key: str, content: "File[Any]") -> str:
    """Store what is read from `content` and return its key: another one where something lies under `key`.

    Raises StorageUnavailable or DiskFull.
    """
    with storing():
        stored: str = default_storage.save(key, content)
    return stored


@contextmanager
def storing() -> Iterator[None]:
    """For what somebody sends: raises DiskFull where there is no room, StorageUnavailable for any other failure.

    What is not there raises FileNotFoundError.
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
    """The object, open for reading; raises FileNotFoundError or StorageUnavailable."""
    with s3.answering():
        return default_storage.open(key, "rb")


def get_file(key: str, path: Path) -> None:
    """Copy the object into a local file; raises ObjectMissing or StorageUnavailable."""
    try:
        if _is_s3():
            s3.download(default_storage, key, path)
        else:
            shutil.copyfile(default_storage.path(key), path)
    except FileNotFoundError:
        raise ObjectMissing from None


def read_range(key: str, start: int, length: int) -> bytes:
    """At most `length` bytes from `start` on, fewer at the object's end; raises ObjectMissing or StorageUnavailable."""
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
    """Lines without their breaks from byte `start` on, read a mebibyte at a time; raises ObjectMissing."""
    rest = b""
    while block := read_range(key, start, CHUNK_BYTES):
        start += len(block)
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
    if rest:
        yield rest


def delete_object(key: str) -> None:
    """Remove the object; one that is gone already is fine. Raises StorageUnavailable."""
    with s3.answering():
        default_storage.delete(key)


def place_in_s3(key: str) -> dict[str, str] | None:
    """The object's bucket and key, as S3 itself copies from; None where the storage is another."""
    bucket = getattr(default_storage, "bucket", None)
    if bucket is None:
        return None
    return {"Bucket": bucket.name, "Key": s3.object_name(default_storage, key)}


def _size(key: str) -> int | None:
    """Bytes of the object, None where there is none."""
    try:
        return default_storage.size(key)
    except FileNotFoundError:
        return None


def _is_s3() -> bool:
    return getattr(default_storage, "bucket", None) is not None
