"""Invocations of SageMaker's endpoint."""

from typing import Any

import boto3
import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lorakit.front.requests import FrontError
from lorakit.front.routes import Address

# API Gateway gives up after 29 seconds. A request that may have been billed is not repeated.
CLIENT = Config(connect_timeout=2, read_timeout=27, retries={"total_max_attempts": 1, "mode": "standard"})

AWAY = "The endpoint is not available right now. Try again in a few seconds."
BUSY = "The endpoint is busy. Try again in a moment."


class Runtime:
    """One component answers; the body can't choose another."""

    def __init__(self, client: Any = None) -> None:
        self._client = client or boto3.client("sagemaker-runtime", config=CLIENT)

    def invoke(self, address: Address, body: bytes, request_id: str) -> bytes:
        """The answer's body. Raises FrontError."""
        try:
            answer = self._client.invoke_endpoint(
                EndpointName=address.endpoint,
                InferenceComponentName=address.component,
                ContentType="application/json",
                InferenceId=request_id[:64],
                Body=body,
            )
            content: bytes = answer["Body"].read()
        except ClientError as error:
            raise _refusal(error) from error
        except BotoCoreError as error:
            raise FrontError(503, AWAY, "endpoint_unavailable") from error
        return content


def _refusal(error: ClientError) -> FrontError:
    code = error.response["Error"]["Code"]
    if code == "ModelError":
        return _of_the_model(error.response)
    if code in ("ThrottlingException", "TooManyRequestsException", "ServiceUnavailable"):
        return FrontError(429, BUSY, "endpoint_busy")
    return FrontError(503, AWAY, "endpoint_unavailable")


def _of_the_model(response: Any) -> FrontError:
    """The container's own refusal, which SageMaker wraps; what it says of itself is not the caller's business."""
    status = response.get("OriginalStatusCode")
    if status == 404:
        # The container has lost the adapter and is given it again; its own name for it says nothing to callers.
        return FrontError(503, AWAY, "endpoint_unavailable")
    if not isinstance(status, int) or not 400 <= status < 500:
        return FrontError(502, "The model failed on this request.", "endpoint_error")
    try:
        told = msgspec.json.decode(str(response.get("OriginalMessage") or "").encode())
        error = told.get("error", told)
        text, code, param = str(error["message"]), str(error.get("code") or "invalid_request"), error.get("param")
    except (ValueError, AttributeError, KeyError, TypeError):
        text, code, param = "The model refused this request.", "invalid_request", None
    return FrontError(status, text, code, str(param) if param else None)
