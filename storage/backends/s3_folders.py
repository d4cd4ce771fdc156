"""Folders in any bucket of S3, read with the machine's own credentials."""

from pathlib import Path

import boto3

from storage.backends.s3 import answering


def sizes(bucket: str, prefix: str) -> dict[str, int]:
    """Bytes of each object below the prefix, by its path there. Raises StorageUnavailable, FileNotFoundError."""
    below = f"{prefix.rstrip('/')}/" if prefix.strip("/") else ""
    found = {}
    with answering():
        pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=below)
        for page in pages:
            for one in page.get("Contents", []):
                found[one["Key"].removeprefix(below)] = int(one["Size"])
    return found


def download(bucket: str, prefix: str, names: list[str], folder: Path) -> None:
    """Download objects below the prefix into the folder, several parts at once."""
    below = f"{prefix.rstrip('/')}/" if prefix.strip("/") else ""
    client = boto3.client("s3")
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with answering():
            client.download_file(bucket, f"{below}{name}", str(path))
