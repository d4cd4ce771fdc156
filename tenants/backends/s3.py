"""Objects of an S3Storage of django-storages, without the detour of its files, which fetch all of an object."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def object_name(storage: Any, key: str) -> str:
    """The object's name in the bucket: the storage may keep all of its own below some folder."""
    location: str = storage.location.strip("/")
    return f"{location}/{key}" if location else key


def read_range(storage: Any, key: str, start: int, length: int) -> bytes:
    """At most `length` bytes from `start` on, none beyond the end; raises FileNotFoundError."""
    with _missing(storage, key):
        try:
            answer = storage.bucket.Object(object_name(storage, key)).get(Range=f"bytes={start}-{start + length - 1}")
        except _errors(storage) as error:
            if error.response["Error"]["Code"] == "InvalidRange":
                return b""
            raise
        body: bytes = answer["Body"].read()
        return body


def download(storage: Any, key: str, path: Path) -> None:
    """Fetch the object into a local file, several parts at once; raises FileNotFoundError."""
    with _missing(storage, key):
        storage.bucket.download_file(object_name(storage, key), str(path))


@contextmanager
def _missing(storage: Any, key: str) -> Iterator[None]:
    try:
        yield
    except _errors(storage) as error:
        if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
            raise FileNotFoundError(key) from None
        raise


def _errors(storage: Any) -> Any:
    return storage.bucket.meta.client.exceptions.ClientError
