"""Objects of a tenant in Django's default storage: each key begins with the tenant it belongs to."""

from pathlib import Path
from typing import IO
from uuid import UUID

from django.core.files import File
from django.core.files.storage import default_storage

CHUNK_BYTES = 1 << 20


def object_key(tenant_id: UUID, *parts: str) -> str:
    """`tenants/<tenant>/<parts>`; parts are generated names, never a customer's."""
    for part in parts:
        if not part or part in {".", ".."} or "/" in part or "\\" in part:
            raise ValueError(f"not a name for an object: {part!r}")
    return "/".join(("tenants", str(tenant_id), *parts))


def put_file(key: str, path: Path) -> None:
    """Store a local file under `key`; a key names content that never changes, so a whole one is left alone.

    One that an interrupted writer left too short is written again.
    """
    if default_storage.exists(key):
        if default_storage.size(key) == path.stat().st_size:
            return
        default_storage.delete(key)
    with path.open("rb") as file:
        default_storage.save(key, File(file))


def open_object(key: str) -> IO[bytes]:
    """The object, open for reading."""
    return default_storage.open(key, "rb")


def delete_object(key: str) -> None:
    """Remove the object; one that is gone already is fine."""
    default_storage.delete(key)
