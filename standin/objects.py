"""The stand-in's own access to its S3 and logs, without the faults that clients get."""

from pathlib import Path
from typing import Any

import boto3


class Objects:
    """Access to S3 through boto3."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def put(self, bucket: str, key: str, content: bytes) -> None:
        self._client.put_object(Bucket=bucket, Key=key, Body=content)

    def read(self, bucket: str, key: str) -> bytes | None:
        """An object's content, None if there is no such object."""
        try:
            content: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except (self._client.exceptions.NoSuchKey, self._client.exceptions.NoSuchBucket):
            return None
        return content

    def download(self, uri: str, folder: Path) -> int:
        """Copy the objects under an s3:// prefix to a folder. Returns the number of objects."""
        bucket, prefix = split_uri(uri)
        folder.mkdir(parents=True, exist_ok=True)
        count = 0
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", ()):
                target = folder / (item["Key"].removeprefix(prefix).lstrip("/") or Path(item["Key"]).name)
                target.parent.mkdir(parents=True, exist_ok=True)
                self._client.download_file(bucket, item["Key"], str(target))
                count += 1
        return count


class LogWriter:
    """Writes to one group of CloudWatch Logs."""

    def __init__(self, client: Any, group: str) -> None:
        self._client = client
        self._group = group
        self._streams: set[str] = set()

    def write(self, stream: str, lines: list[str], at: float) -> None:
        """Append lines with the time stamp `at`, in Unix seconds."""
        if stream not in self._streams:
            self._make(stream)
        for start in range(0, len(lines), 1000):
            events = [{"timestamp": int(at * 1000), "message": line} for line in lines[start : start + 1000]]
            self._client.put_log_events(logGroupName=self._group, logStreamName=stream, logEvents=events)

    def _make(self, stream: str) -> None:
        for make, arguments in (
            (self._client.create_log_group, {"logGroupName": self._group}),
            (self._client.create_log_stream, {"logGroupName": self._group, "logStreamName": stream}),
        ):
            try:
                make(**arguments)
            except self._client.exceptions.ResourceAlreadyExistsException:
                continue
        self._streams.add(stream)


def split_uri(uri: str) -> tuple[str, str]:
    """(bucket, key or prefix) of an s3:// address."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def client(service: str, url: str, region: str) -> Any:
    """A boto3 client for the local server, with dummy credentials."""
    make: Any = boto3.client
    return make(
        service,
        endpoint_url=url,
        region_name=region,
        aws_access_key_id="stand-in",
        aws_secret_access_key="stand-in",
    )
