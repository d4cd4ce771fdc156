"""Invocations of one inference component: signed, and streamed as AWS's events."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from botocore.eventstream import EventStreamBuffer, ParserError

from jobs.backends.sagemaker.errors import DENIED, THROTTLED
from serving.backends.errors import EndpointError
from serving.backends.target import JSON, Call, Decoder, Refused, Target, read_refusal

MODEL_ERROR = 424
TIMED_OUT = "ModelInvocationTimeExceeded"


@dataclass(frozen=True, kw_only=True)
class SageMakerTarget(Target):
    """A component of an endpoint. The component alone decides which model answers, never the body.

    `host` is the runtime's address without a slash at its end. `credentials` may have to fetch them.
    """

    may_wait: ClassVar[bool] = True

    host: str
    endpoint: str
    model: str
    region: str
    credentials: Callable[[], ReadOnlyCredentials]

    def call(self, path: str, document: Mapping[str, Any], *, request_id: str = "", tenant: str = "") -> Call:
        streamed = document.get("stream") is True
        operation = "invocations-response-stream" if streamed else "invocations"
        url, body = f"{self.host}/endpoints/{self.endpoint}/{operation}", msgspec.json.encode(document)
        named = {**JSON, "X-Amzn-SageMaker-Inference-Component": self.model}
        request = AWSRequest(method="POST", url=url, data=body, headers=named)
        if request_id:
            request.headers["X-Amzn-SageMaker-Inference-Id"] = request_id
        SigV4Auth(self.credentials(), "sagemaker", self.region).add_auth(request)
        return Call(url=url, headers=dict(request.headers.items()), body=body)

    def component(self) -> tuple[str, str]:
        return self.endpoint, self.model

    def cancelling(self, request_id: str) -> Call | None:
        return None

    def refused(self, status: int, headers: Mapping[str, str], body: bytes) -> Refused:
        kind = headers.get("x-amzn-errortype", "").split(":")[0]
        told = _decoded(body)
        text = str(told.get("Message") or told.get("message") or "")
        if status == MODEL_ERROR:
            return _of_the_model(told)
        if kind in THROTTLED:
            return Refused(status=429, code="endpoint_busy")
        if kind in DENIED:
            return Refused(status=403)
        if kind == "ModelNotReadyException" or "no capacity" in text.lower():
            return Refused(status=503)
        if kind in ("ValidationError", "ValidationException") and "not found" in text.lower():
            return Refused(status=404)
        # What AWS says of the request itself, such as its size; the rest is between the site and AWS.
        return Refused(status=status if status < 500 else 503, text=text if status < 500 else "")

    def decoder(self) -> Decoder:
        buffer = EventStreamBuffer()

        def decode(data: bytes) -> bytes:
            try:
                buffer.add_data(data)
                return b"".join(_payload(event) for event in buffer)
            except ParserError as error:
                text = "The endpoint’s response is not an event stream."
                raise EndpointError("endpoint:stream_broken", text, temporary=True) from error

        return decode


def _of_the_model(told: Mapping[str, Any]) -> Refused:
    """The container's own error, which SageMaker wraps."""
    original, text = told.get("OriginalStatusCode"), str(told.get("OriginalMessage") or "")
    if not isinstance(original, int) or not 400 <= original < 600:
        # A container that took too long has given no status.
        return Refused(status=504)
    return read_refusal(original, text.encode())


def _payload(event: Any) -> bytes:
    headers = event.headers
    if headers.get(":message-type") == "event":
        payload: bytes = event.payload
        return payload
    code = str(_decoded(event.payload).get("ErrorCode", ""))
    name = "endpoint:timeout" if code == TIMED_OUT else "endpoint:stream_broken"
    raise EndpointError(name, "The endpoint ended its response with an error.", temporary=True)


def _decoded(body: bytes) -> Mapping[str, Any]:
    try:
        document = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
