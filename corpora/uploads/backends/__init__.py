"""Storage backends that accept uploads directly from the client."""

from django.core.files.storage import default_storage

from corpora.uploads.backends.s3 import PartsStorage


def parts_storage() -> PartsStorage | None:
    """The bucket that accepts uploads in parts. None if the default storage is not S3."""
    return PartsStorage(default_storage) if getattr(default_storage, "bucket", None) is not None else None
