"""Storage that takes files straight from whoever sends them, past this site."""

from django.core.files.storage import default_storage

from corpora.uploads.backends.s3 import PartsStorage


def parts_storage() -> PartsStorage | None:
    """The bucket that takes files in parts; None where the storage is something else than S3."""
    return PartsStorage(default_storage) if getattr(default_storage, "bucket", None) is not None else None
