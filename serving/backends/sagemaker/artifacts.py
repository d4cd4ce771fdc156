"""Adapter packages where SageMaker reads them: one flat archive in S3 for each deployment.

An archive that an endpoint loads is checked here, whatever wrote it: LMI runs a `model.py` that it finds in one.
"""

import datetime as dt
import tempfile
import time
from collections.abc import Set
from pathlib import Path
from typing import Any

from django.utils import timezone

from jobs.backends.sagemaker.bucket import Bucket
from lorakit.digest import file_sha256
from lorakit.errors import PackageError
from lorakit.package import inspect
from serving.backends.base import Package
from serving.backends.errors import EndpointError
from serving.backends.sagemaker.errors import translated
from storage.errors import ObjectMissing
from storage.objects import get_file

TIDY_AFTER = dt.timedelta(hours=1)
TIDY_EVERY_SECONDS = 600.0
NAME_SUFFIX = ".tar.gz"


class Artifacts:
    """The archives under `prefix` of a bucket, named by their content."""

    def __init__(self, client: Any, bucket: Bucket, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self._tidied_at = -TIDY_EVERY_SECONDS

    def store(self, package: Package) -> str:
        """The s3:// address of the package's archive, put there if it was not. Raises EndpointError."""
        key = f"{self._prefix}{package.sha256}{NAME_SUFFIX}"
        with translated("storing an adapter in S3"):
            if not self._bucket.has(key):
                self._upload(package, key)
        return self._bucket.uri(key)

    def tidy(self, keep: Set[str]) -> None:
        """Delete archives whose SHA-256 is not in `keep`; young ones may belong to a promotion that has just begun.

        Every ten minutes at most: S3 bills each look.
        """
        if time.monotonic() - self._tidied_at < TIDY_EVERY_SECONDS:
            return
        self._tidied_at = time.monotonic()
        before = timezone.now() - TIDY_AFTER
        with translated("deleting adapters in S3"):
            # Folders below belong to other endpoints.
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket.name, Prefix=self._prefix, Delimiter="/"
            )
            old = [
                {"Key": item["Key"]}
                for page in pages
                for item in page.get("Contents", ())
                if item["Key"].removeprefix(self._prefix).removesuffix(NAME_SUFFIX) not in keep
                and item["LastModified"] < before
            ]
            for start in range(0, len(old), 1000):
                self._client.delete_objects(
                    Bucket=self._bucket.name, Delete={"Objects": old[start : start + 1000], "Quiet": True}
                )

    def _upload(self, package: Package, key: str) -> None:
        with tempfile.TemporaryDirectory(prefix="adapter-portal-") as folder:
            path = Path(folder) / "adapter.tar.gz"
            try:
                get_file(package.key, path)
            except ObjectMissing:
                raise EndpointError(
                    "deployment:package_missing", "The version’s package is missing from storage.", temporary=False
                ) from None
            if file_sha256(path) != package.sha256:
                raise EndpointError(
                    "deployment:package_changed",
                    "The package in storage differs from the one that was trained. Train the version again.",
                    temporary=False,
                )
            try:
                inspect(path)
            except PackageError as error:
                raise EndpointError("deployment:bad_package", error.text, temporary=False) from error
            with path.open("rb") as content:
                self._bucket.upload(key, content)
