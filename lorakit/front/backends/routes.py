"""Routes from a bucket, kept for a few seconds."""

import re
import time
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lorakit.front.requests import FrontError
from lorakit.front.routes import Routes, read_routes

FRESH_SECONDS = 5.0
STALE_SECONDS = 600.0
"""How long old routes do where the bucket does not answer."""

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
CLIENT = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})


@dataclass(frozen=True)
class Kept:
    """Routes, None where there are none, with their ETag and when they were last known to be current."""

    routes: Routes | None
    etag: str
    at: float


class BucketSource:
    """`PREFIX` + short name + `.json` in a bucket."""

    def __init__(self, bucket: str, prefix: str, client: Any = None) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._client = client or boto3.client("s3", config=CLIENT)
        self._kept: dict[str, Kept] = {}

    def routes(self, tenant: str) -> Routes | None:
        """Those of an organisation, at most FRESH_SECONDS old. Raises FrontError."""
        if NAME.fullmatch(tenant) is None:
            return None
        now, kept = time.monotonic(), self._kept.get(tenant)
        if kept is not None and now - kept.at < FRESH_SECONDS:
            return kept.routes
        try:
            found = self._read(tenant, kept, now)
        except (BotoCoreError, ClientError, ValueError) as error:
            if kept is None or now - kept.at > STALE_SECONDS:
                text = "Models can’t be looked up right now. Try again in a few seconds."
                raise FrontError(503, text, "routes_unavailable") from error
            return kept.routes
        self._kept[tenant] = found
        return found.routes

    def _read(self, tenant: str, kept: Kept | None, now: float) -> Kept:
        known = {"IfNoneMatch": kept.etag} if kept is not None and kept.etag else {}
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=f"{self._prefix}{tenant}.json", **known)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status == 304 and kept is not None:
                return Kept(kept.routes, kept.etag, now)
            if error.response["Error"]["Code"] == "NoSuchKey":
                return Kept(None, "", now)
            raise
        return Kept(read_routes(answer["Body"].read()), answer["ETag"], now)
