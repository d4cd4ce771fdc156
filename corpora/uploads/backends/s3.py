"""Multipart uploads directly to an S3 bucket, by presigned URLs."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from corpora.uploads.errors import UploadGone
from storage.backends.s3 import answering, object_name

SMALLEST_PART_BYTES = 16 << 20
MAX_PARTS = 10_000
SIGNED_SECONDS = 3600


@dataclass(frozen=True)
class Part:
    """A part of a file: its `offset` and length in `bytes`, and the URL that accepts it by PUT."""

    number: int
    offset: int
    bytes: int
    url: str


def part_bytes(size: int) -> int:
    """The bytes of each part except the last, in whole mebibytes, so that a file has at most `MAX_PARTS` parts."""
    least = -(-size // MAX_PARTS)
    return max(SMALLEST_PART_BYTES, -(-least // (1 << 20)) << 20)


class PartsStorage:
    """Multipart uploads into the bucket of `storage`, an S3Storage of django-storages.

    Every method is safe to call twice. Each raises StorageUnavailable if S3 refuses or does not respond.
    """

    def __init__(self, storage: Any) -> None:
        self.storage = storage
        self.bucket: str = storage.bucket_name
        self.client: Any = storage.bucket.meta.client

    def begin(self, key: str) -> str:
        """Start a multipart upload to `key` and return its id."""
        with _answering():
            answer = self.client.create_multipart_upload(
                Bucket=self.bucket,
                Key=self._name(key),
                **{"ContentType": "application/octet-stream", **self.storage.get_object_parameters(key)},
            )
        return str(answer["UploadId"])

    def received(self, key: str, multipart_id: str) -> dict[int, int]:
        """The size in bytes of each received part, by part number. Raises UploadGone."""
        return {number: size for number, size, _ in self._parts(key, multipart_id)}

    def missing(self, *, size: int, there: dict[int, int]) -> list[tuple[int, int, int]]:
        """(number, offset, bytes) of each part of a file of `size` bytes that is not completely `there`."""
        step = part_bytes(size)
        places = ((n, offset, min(step, size - offset)) for n, offset in enumerate(range(0, size, step), start=1))
        return [place for place in places if there.get(place[0]) != place[2]]

    def part(self, key: str, multipart_id: str, number: int, offset: int, length: int) -> Part:
        """The part with its presigned URL, valid for `SIGNED_SECONDS`."""
        address = {"Bucket": self.bucket, "Key": self._name(key), "UploadId": multipart_id, "PartNumber": number}
        url = self.client.generate_presigned_url(
            "upload_part", Params={**address, "ContentLength": length}, ExpiresIn=SIGNED_SECONDS
        )
        return Part(number, offset, length, url)

    def complete(self, key: str, multipart_id: str, *, size: int) -> None:
        """Join the parts of a file of `size` bytes into the object `key`. Raises UploadGone."""
        count = -(-size // part_bytes(size))
        tags = {number: tag for number, _, tag in self._parts(key, multipart_id) if number <= count}
        with _answering():
            self.client.complete_multipart_upload(
                Bucket=self.bucket,
                Key=self._name(key),
                UploadId=multipart_id,
                MultipartUpload={"Parts": [{"PartNumber": n, "ETag": tag} for n, tag in sorted(tags.items())]},
            )

    def size(self, key: str) -> int | None:
        """The bytes of the object `key`, or None if it does not exist."""
        try:
            with _answering():
                return int(self.client.head_object(Bucket=self.bucket, Key=self._name(key))["ContentLength"])
        except UploadGone:
            return None

    def abort(self, key: str) -> None:
        """Abort every multipart upload to `key` and remove its parts."""
        for found, multipart_id, _ in self.open_uploads(key):
            if found == key:
                self.abort_one(key, multipart_id)

    def abort_one(self, key: str, multipart_id: str) -> None:
        """Abort one multipart upload. Does nothing if it is gone."""
        try:
            with _answering():
                self.client.abort_multipart_upload(Bucket=self.bucket, Key=self._name(key), UploadId=multipart_id)
        except UploadGone:
            pass

    def open_uploads(self, prefix: str) -> Iterator[tuple[str, str, dt.datetime]]:
        """(key, id, start time) of each multipart upload that was neither completed nor aborted."""
        root = self._name("")
        with _answering():
            pages = self.client.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self.bucket, Prefix=self._name(prefix)):
                for item in page.get("Uploads", ()):
                    yield item["Key"].removeprefix(root), item["UploadId"], item["Initiated"]

    def _parts(self, key: str, multipart_id: str) -> list[tuple[int, int, str]]:
        """(number, bytes, tag) of each received part."""
        with _answering():
            pages = self.client.get_paginator("list_parts")
            found = pages.paginate(Bucket=self.bucket, Key=self._name(key), UploadId=multipart_id)
            return [(p["PartNumber"], p["Size"], p["ETag"]) for page in found for p in page.get("Parts", ())]

    def _name(self, key: str) -> str:
        return object_name(self.storage, key)


@contextmanager
def _answering() -> Iterator[None]:
    """Raise UploadGone if the object or upload does not exist, StorageUnavailable for any other failure."""
    try:
        with answering():
            yield
    except FileNotFoundError:
        raise UploadGone from None
