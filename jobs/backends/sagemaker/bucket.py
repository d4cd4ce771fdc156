"""The runs' objects in S3: store inputs, read named members of an archive, delete whole prefixes."""

import shutil
import tarfile
import zlib
from pathlib import Path
from typing import IO, Any

from botocore.exceptions import ClientError

from jobs.backends.base import ComputeError
from jobs.backends.sagemaker.errors import is_missing, not_set_up, translated


class Bucket:
    """One bucket, its objects encrypted with `kms_key_id` if it is set."""

    def __init__(self, client: Any, name: str, *, kms_key_id: str = "") -> None:
        self.name = name
        self._client = client
        self._encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_id} if kms_key_id else {}

    def put(self, key: str, content: bytes) -> None:
        """Store small content."""
        with translated("storing an input in S3"):
            self._client.put_object(Bucket=self.name, Key=key, Body=content, **self._encryption)

    def upload(self, key: str, source: IO[bytes]) -> None:
        """Store a stream, in parts if it is large."""
        with translated("storing an input in S3"):
            self._client.upload_fileobj(source, self.name, key, ExtraArgs=self._encryption)

    def copy(self, key: str, source: dict[str, str]) -> None:
        """Copy an object within S3, several parts at once. Raises FileNotFoundError."""
        with translated("copying an input in S3"):
            try:
                self._client.copy(source, self.name, key, ExtraArgs=self._encryption)
            except ClientError as error:
                if is_missing(error):
                    raise FileNotFoundError from error
                raise

    def has(self, key: str) -> bool:
        """Whether the object exists."""
        with translated("reading from S3"):
            try:
                self._client.head_object(Bucket=self.name, Key=key)
            except ClientError as error:
                if is_missing(error):
                    return False
                raise
            return True

    def read_members(self, key: str, wanted: set[str], destination: Path) -> set[str]:
        """Stream the wanted regular files of a .tar.gz into a folder and return the names that were found.

        No other member of the archive is written, whatever its name.
        """
        with translated("fetching a result from S3"):
            try:
                body = self._client.get_object(Bucket=self.name, Key=key)["Body"]
                with body, tarfile.open(fileobj=body, mode="r|gz") as tar:
                    return _copy_members(tar, wanted, destination)
            except ClientError as error:
                if is_missing(error):
                    return set()
                raise
            except (tarfile.TarError, EOFError, zlib.error) as error:
                text = "The result of the run in S3 is damaged."
                raise ComputeError("platform:artifact_damaged", text, temporary=True) from error

    def delete_prefix(self, prefix: str) -> None:
        """Remove every object below a prefix."""
        with translated("deleting a run in S3"):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
            for page in pages:
                objects = [{"Key": item["Key"]} for item in page.get("Contents", ())]
                if objects:
                    answer = self._client.delete_objects(Bucket=self.name, Delete={"Objects": objects, "Quiet": True})
                    if answer.get("Errors"):
                        detail = "S3 did not delete some objects of a run. Check that the worker may delete them."
                        raise not_set_up("platform:aws_denied", detail)

    def uri(self, key: str) -> str:
        """The s3:// address of a key or prefix."""
        return f"s3://{self.name}/{key}"

    def key_of(self, uri: str) -> str:
        """The key or prefix of an s3:// address in this bucket."""
        return uri.removeprefix(self.uri(""))


def _copy_members(tar: tarfile.TarFile, wanted: set[str], destination: Path) -> set[str]:
    found: set[str] = set()
    for member in tar:
        name = member.name.removeprefix("./")
        content = tar.extractfile(member) if member.isreg() and name in wanted - found else None
        if content is not None:
            with (destination / name).open("wb") as file:
                shutil.copyfileobj(content, file, 1 << 20)
            found.add(name)
        if found == wanted:
            break
    return found
