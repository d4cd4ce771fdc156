"""The function's entry point for API Gateway (`deploy/aws/front.yaml`).

IAM has decided who may call: API Gateway lets a caller through to `/TENANT/...` only if a policy grants that path. The
organisation is the path's, and nothing in the body or the headers can name another.

Environment: ROUTES_BUCKET and ROUTES_PREFIX, where the portal publishes routes.
"""

import base64
import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from lorakit.front import answering
from lorakit.front.backends.routes import BucketSource
from lorakit.front.backends.runtime import Runtime
from lorakit.front.requests import FrontError, Kind

PATHS: dict[str, Kind] = {"v1/chat/completions": "chat", "v1/completions": "completion"}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """A proxy event of a REST API, and its response. Texts of callers are never logged."""
    request_id = str(event["requestContext"]["requestId"])
    try:
        given = _answer(event, request_id)
    except FrontError as error:
        print(f"refused request_id={request_id} status={error.status} code={error.code}")  # noqa: T201 - Lambda's log
        given = answering.Answer(status=error.status, body=error.body(), headers={})
    headers = {"content-type": "application/json", "x-request-id": request_id, **given.headers}
    return {"statusCode": given.status, "headers": headers, "body": given.body.decode()}


def _answer(event: Mapping[str, Any], request_id: str) -> answering.Answer:
    tenant, path = event["pathParameters"]["tenant"], event["resource"].removeprefix("/{tenant}/")
    source = _source()
    if path == "v1/models":
        return answering.models(tenant, source)
    body = event.get("body") or ""
    try:
        data = base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
    except ValueError:
        raise FrontError(400, "The body is not valid JSON.", "invalid_json") from None
    return answering.answer(tenant, PATHS[path], data, request_id=request_id, source=source, invoke=_runtime().invoke)


@cache
def _source() -> BucketSource:
    return BucketSource(os.environ["ROUTES_BUCKET"], os.environ["ROUTES_PREFIX"])


@cache
def _runtime() -> Runtime:
    return Runtime()
