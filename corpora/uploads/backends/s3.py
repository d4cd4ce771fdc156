"""Multipart uploads straight to an S3 bucket, by presigned addresses."""

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
    """Where a part's bytes go: `offset` and `bytes` in the file, and the address that takes them by PUT."""

    number: int
    offset: int
    bytes: int
    url: str


def part_bytes(size: int) -> int:
    """Bytes of each part but the last: whole mebibytes, so that a file has at most `MAX_PARTS`."""
    least = -(-size // MAX_PARTS)
    return max(SMALLEST_PART_BYTES, -(-least // (1 << 20)) << 20)


class PartsStorage:
    """Multipart uploads into the bucket of `storage`, an S3Storage of django-storages.

    Every method may be called twice, and raises StorageUnavailable where S3 does not do as asked.
    """

    def __init__(self, storage: Any) -> None:
        self.storage = storage
        self.bucket: str = storage.bucket_name
        self.client: Any = storage.bucket.meta.client

    def begin(self, key: str) -> str:
        """The id of a new multipart upload to `key`."""
        with _answering():
            answer = self.client.create_multipart_upload(
                Bucket=self.bucket,
                Key=self._name(key),
                **{"ContentType": "application/octet-stream", **self.storage.get_object_parameters(key)},
            )
        return str(answer["UploadId"])

    def received(self, key: str, multipart_id: str) -> dict[int, int]:
        """Bytes by number of the parts that are there; raises UploadGone."""
        return {number: size for number, size, _ in self._parts(key, multipart_id)}

    def missing(self, *, size: int, there: dict[int, int]) -> list[tuple[int, int, int]]:
        """(number, offset, bytes) of each part of a file of `size` bytes that is not `there` whole."""
        step = part_bytes(size)
        places = ((n, offset, min(step, size - offset)) for n, offset in enumerate(range(0, size, step), start=1))
        return [place for place in places if there.get(place[0]) != place[2]]

    def part(self, key: str, multipart_id: str, number: int, offset: int, length: int) -> Part:
        """The part with the address that takes it, for `SIGNED_SECONDS`."""
        address = {"Bucket": self.bucket, "Key": self._name(key), "UploadId": multipart_id, "PartNumber": number}
        url = self.client.generate_presigned_url(
            "upload_part", Params={**address, "ContentLength": length}, ExpiresIn=SIGNED_SECONDS
        )
        return Part(number, offset, length, url)

    def complete(self, key: str, multipart_id: str, *, size: int) -> None:
        """Join the parts of a file of `size` bytes to the object `key`; raises UploadGone."""
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
        """Bytes of the object `key`, None if there is none."""
        try:
            with _answering():
                return int(self.client.head_object(Bucket=self.bucket, Key=self._name(key))["ContentLength"])
        except UploadGone:
            return None

    def abort(self, key: str) -> None:
        """Forget every multipart upload to `key` and the parts that came."""
        for found, multipart_id, _ in self.open_uploads(key):
            if found == key:
                self.abort_one(key, multipart_id)

    def abort_one(self, key: str, multipart_id: str) -> None:
        """Forget one multipart upload; one that is gone is fine."""
        try:
            with _answering():
                self.client.abort_multipart_upload(Bucket=self.bucket, Key=self._name(key), UploadId=multipart_id)
        except UploadGone:
            pass

    def open_uploads(self, prefix: str) -> Iterator[tuple[str, str, dt.datetime]]:
        """(key, id, time of its beginning) of each multipart upload that was neither completed nor aborted."""
        root = self._name("")
        with _answering():
            pages = self.client.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self.bucket, Prefix=self._name(prefix)):
                for item in page.get("Uploads", ()):
                    yield item["Key"].removeprefix(root), item["UploadId"], item["Initiated"]

    def _parts(self, key: str, multipart_id: str) -> list[tuple[int, int, str]]:
        """(number, bytes, tag) of each part that is there."""
        with _answering():
            pages = self.client.get_paginator("list_parts")
            found = pages.paginate(Bucket=self.bucket, Key=self._name(key), UploadId=multipart_id)
            return [(p["PartNumber"], p["Size"], p["ETag"]) for page in found for p in page.get("Parts", ())]

    def _name(self, key: str) -> str:
        return object_name(self.storage, key)


@contextmanager
def _answering() -> Iterator[None]:
    """Raises UploadGone for what does not exist, StorageUnavailable for any other refusal or silence."""
    try:
        with answering():
            yield
    except FileNotFoundError:
        raise UploadGone from None
