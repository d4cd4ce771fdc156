"""Lists what a tenant has in storage, a piece at a time."""

import heapq
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from django.core.files.storage import default_storage

from storage.backends import s3
from storage.backends.s3 import Stored
from storage.objects import object_key

STANDARD, LOCAL = "STANDARD", "local"
"""Storage classes: of new objects in S3, and of files on a disk of the site."""


def objects_of(tenant_id: UUID, *, after: str, most: int) -> list[Stored]:
    """A tenant's next objects after a key, in the order of their keys; fewer than `most` are the last ones.

    Raises StorageUnavailable.
    """
    prefix = f"{object_key(tenant_id)}/"
    if getattr(default_storage, "bucket", None) is not None:
        return s3.listed(default_storage, prefix, after=after, most=most)
    return heapq.nsmallest(most, _files(prefix, after), key=lambda one: one.key)


def default_class() -> str:
    """The storage class of new objects."""
    return STANDARD if hasattr(default_storage, "bucket") else LOCAL


def storage_region() -> str:
    """Where the objects are in AWS; empty for a disk of the site."""
    return (getattr(default_storage, "region_name", None) or "") if hasattr(default_storage, "bucket") else ""


def _files(prefix: str, after: str) -> Iterator[Stored]:
    root = Path(default_storage.path(""))
    for folder, _, names in os.walk(default_storage.path(prefix)):
        for name in names:
            path = Path(folder, name)
            key = path.relative_to(root).as_posix()
            if key <= after:
                continue
            try:
                size = path.stat().st_size
            except FileNotFoundError:
                # It was removed meanwhile.
                continue
            yield Stored(key=key, bytes=size, storage_class=LOCAL)
