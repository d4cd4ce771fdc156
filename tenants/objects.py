"""Objects of a tenant in Django's default storage: each key begins with the tenant it belongs to."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from uuid import UUID

from django.core.files import File
from django.core.files.storage import default_storage

from tenants.backends import s3
from tenants.errors import PortalError

CHUNK_BYTES = 1 << 20


class ObjectMissing(PortalError):
    """What a row in the database names is not in storage."""

    code = "platform:object_missing"
    status = 503

    def __init__(self) -> None:
        super().__init__("What belongs here is missing from our storage. Try again later, and tell us if it stays so.")


def object_key(tenant_id: UUID, *parts: str) -> str:
    """`tenants/<tenant>/<parts>`; parts are generated names, never a customer's."""
    for part in parts:
        if not part or part in {".", ".."} or "/" in part or "\\" in part:
            raise ValueError(f"not a name for an object: {part!r}")
    return "/".join(("tenants", str(tenant_id), *parts))


def put_file(key: str, path: Path) -> None:
    """Store a local file under `key`; a key names content that never changes, so a whole one is left alone.

    One that an interrupted writer left too short is written again. Raises StorageUnavailable.
    """
    with s3.answering():
        if default_storage.exists(key):
            if default_storage.size(key) == path.stat().st_size:
                return
            default_storage.delete(key)
        with path.open("rb") as file:
            default_storage.save(key, File(file))


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


def _is_s3() -> bool:
    return getattr(default_storage, "bucket", None) is not None
