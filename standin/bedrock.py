"""Bedrock's Converse operation, as strict as AWS about the request. A Python function stands for the model.

Source: the service model that botocore ships, and the errors in Bedrock's API reference.
"""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from werkzeug.wrappers import Request, Response

from standin.errors import AwsError, invalid
from standin.training_job import request_id
from standin.validation import check_request

PATH = re.compile(r"/model/([^/]+)/converse")

STATUS = {
    "ThrottlingException": 429,
    "ModelNotReadyException": 429,
    "ModelTimeoutException": 408,
    "ModelErrorException": 424,
    "ServiceUnavailableException": 503,
    "InternalServerException": 500,
    "AccessDeniedException": 403,
    "ResourceNotFoundException": 404,
    "ValidationException": 400,
}

Model = Callable[[dict[str, Any]], "ModelAnswer"]
"""From a Converse request to what the model says. It may raise AwsError."""


@dataclass(frozen=True, kw_only=True)
class ModelAnswer:
    """A text or a tool's input. `stop` is Bedrock's stopReason, chosen by the content if empty."""

    text: str = ""
    tool_input: Any = None
    stop: str = ""


@dataclass
class Bedrock:
    """Models by ID. `requests` keeps what was asked, oldest first."""

    models: dict[str, Model] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def respond(self, environ: dict[str, Any]) -> Response:
        """The HTTP response to a request for this service."""
        try:
            answer = self._converse(Request(environ))
            response = Response(json.dumps(answer), content_type="application/json")
        except AwsError as error:
            response = refused(error)
        response.headers["x-amzn-RequestId"] = request_id()
        return response

    def _converse(self, http: Request) -> dict[str, Any]:
        # The path arrives decoded here, and the client has encoded the colon of a model's ID.
        found = PATH.fullmatch(http.path)
        if found is None or http.method != "POST":
            raise AwsError("UnknownOperationException", f"The stand-in has no {http.method} {http.path}.", 404)
        try:
            body = json.loads(http.get_data() or b"{}")
        except ValueError:
            raise AwsError("SerializationException", "The body is not JSON.") from None
        request = {**body, "modelId": unquote(found[1])}
        check_request("Converse", request, service="bedrock-runtime")
        check_conversation(request)
        model = self.models.get(request["modelId"])
        if model is None:
            raise invalid("The provided model identifier is invalid.")
        with self._lock:
            self.requests.append(request)
        return answered(request, model(request))


def refused(error: AwsError) -> Response:
    """An error in the form of AWS's REST services."""
    status = STATUS.get(error.code, error.status)
    headers = {"x-amzn-ErrorType": error.code}
    return Response(
        json.dumps({"message": error.message}), status=status, headers=headers, content_type="application/json"
    )


def check_conversation(request: dict[str, Any]) -> None:
    """Rules that the service model does not state."""
    messages = request.get("messages", [])
    if not messages or messages[0]["role"] != "user":
        raise invalid("A conversation must start with a user message.")
    for message in messages:
        if not message["content"] or any("text" in block and not block["text"].strip() for block in message["content"]):
            raise invalid(
                "The text field in the ContentBlock object is blank. Add text to the text field, and try again."
            )
    tools = request.get("toolConfig", {})
    names = [tool["toolSpec"]["name"] for tool in tools.get("tools", []) if "toolSpec" in tool]
    wanted = tools.get("toolChoice", {}).get("tool", {}).get("name")
    if wanted is not None and wanted not in names:
        raise invalid(f"The toolConfig.toolChoice names {wanted}, which is not in toolConfig.tools.")


def answered(request: dict[str, Any], answer: ModelAnswer) -> dict[str, Any]:
    """The Converse response with a model's answer. Tokens are counted as four characters each."""
    asked = sum(len(block.get("text", "")) for message in request["messages"] for block in message["content"])
    asked += sum(len(block.get("text", "")) for block in request.get("system", []))
    content: list[dict[str, Any]] = []
    if answer.text:
        content.append({"text": answer.text})
    if answer.tool_input is not None:
        name = request["toolConfig"]["tools"][0]["toolSpec"]["name"]
        use = {"toolUseId": "tooluse_standin", "name": name, "input": answer.tool_input}
        content.append({"toolUse": use})
    written = len(answer.text) + len(json.dumps(answer.tool_input)) * (answer.tool_input is not None)
    usage = {"inputTokens": -(-asked // 4), "outputTokens": -(-written // 4)}
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": answer.stop or ("tool_use" if answer.tool_input is not None else "end_turn"),
        "usage": {**usage, "totalTokens": sum(usage.values())},
        "metrics": {"latencyMs": 1},
    }
