"""Invocations: SageMaker's runtime API, answered by the engine of the base that the component is on."""

import contextlib
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response

from standin.cloudwatch.invocations import Invocation
from standin.errors import AwsError
from standin.faults import RuntimeFaults
from standin.hosting import event_stream
from standin.hosting.component import AdapterComponent, BaseComponent, Component
from standin.hosting.engine import BASE, LoadFailed
from standin.hosting.hosting import Hosting
from standin.training_job import request_id

PATH = re.compile(r"/endpoints/([A-Za-z0-9-]+)/(invocations|invocations-response-stream)")
MAX_BODY = 6_291_456
NO_CAPACITY = "Inference Component has no capacity to process this request."
STATUS = {"ServiceUnavailable": 503, "InternalFailure": 500, "ModelError": 424}


class ModelError(Exception):
    """The container answered with an error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Runtime:
    """Answers requests whose path matches PATH."""

    def __init__(self, hosting: Hosting) -> None:
        self._hosting = hosting
        self._http = httpx.Client(trust_env=False, limits=httpx.Limits(max_connections=None))
        self.faults = RuntimeFaults()

    def respond(self, environ: dict[str, Any]) -> Response:
        """The HTTP response to an invocation."""
        http = HttpRequest(environ)
        found, invocation = PATH.fullmatch(http.path), None
        try:
            if found is None or http.method != "POST":
                raise AwsError("UnknownOperationException", f"The stand-in has no {http.method} {http.path}.", 404)
            component = http.headers.get("X-Amzn-SageMaker-Inference-Component", "")
            invocation = self._begun(found[1], component)
            faults = self.faults.of(component)
            if faults.slow:
                with invocation.in_model():
                    time.sleep(faults.slow)
            if faults.error is not None:
                raise faults.error
            body = http.get_data()
            if len(body) > MAX_BODY:
                raise _invalid(f"Body must have length less than or equal to {MAX_BODY}.")
            url, model = self._target(found[1], component)
            path, document = _for_engine(body, model)
            if found[2] == "invocations":
                response = self._whole(f"{url}{path}", document, faults, invocation)
            else:
                response = self._stream(f"{url}{path}", document, faults, invocation)
            response.headers["x-Amzn-Invoked-Production-Variant"] = "AllTraffic"
            if inference_id := http.headers.get("X-Amzn-SageMaker-Inference-Id"):
                response.headers["X-Amzn-SageMaker-Inference-Id"] = inference_id
        except AwsError as error:
            response = refused(error)
            if invocation is not None and response.status_code >= 500:
                invocation.end(response.status_code)
            elif invocation is not None:
                invocation.drop()
        except ModelError as error:
            response = _model_error(error)
            if invocation is not None:
                # A container that gave no status took too long.
                invocation.end(error.status or 504, of_model=True)
        response.headers["x-amzn-RequestId"] = request_id()
        return response

    def _begun(self, endpoint: str, name: str) -> Invocation:
        """What CloudWatch will be told of an invocation. Raises AWS's error for a component that does not exist."""
        hosting = self._hosting
        with hosting.lock:
            hosting.advance()
            component = self._component(endpoint, name)
            base = component.base if isinstance(component, AdapterComponent) else component
            copies = base.copies if isinstance(base, BaseComponent) else 0
            return Invocation(publisher=hosting, endpoint=endpoint, component=name, base=base.name, copies=copies)

    def _component(self, endpoint: str, name: str) -> Component:
        hosting = self._hosting
        if endpoint not in hosting.endpoints.by_name:
            raise _invalid(f"Endpoint {endpoint} of account 123456789012 not found.")
        if not name:
            raise _invalid("Inference Component Name header is required for this endpoint.")
        component = hosting.components.by_name.get(name)
        if component is None or component.endpoint != endpoint:
            raise _invalid(f"Inference Component {name} not found on endpoint {endpoint}.")
        return component

    def _target(self, endpoint: str, name: str) -> tuple[str, str]:
        """The engine's address, and its name for the model."""
        hosting = self._hosting
        with hosting.lock:
            hosting.advance()
            component = self._component(endpoint, name)
            base = component.base if isinstance(component, AdapterComponent) else component
            if not isinstance(base, BaseComponent) or component.status in {"Creating", "Failed"}:
                raise _invalid(NO_CAPACITY)
            base.asked_at = hosting.now
            if not base.has_capacity:
                # AWS does not say on which component it counts the call to an adapter.
                for one in {base.name, name}:
                    hosting.count("NoCapacityInvocationFailures", InferenceComponentName=one)
                raise _invalid(NO_CAPACITY)
            if base.engine is None or not base.is_ready:
                raise AwsError("ServiceUnavailable", "The service is currently unavailable.", 503)
            if isinstance(component, AdapterComponent) and name not in base.engine.loaded:
                try:
                    base.engine.load(name, component.artifact, hosting.objects)
                except LoadFailed as error:
                    raise ModelError(400, str(error)) from error
            component.served += 1
            return base.engine.url, BASE if component is base else name

    def _whole(self, url: str, document: dict[str, Any], faults: RuntimeFaults, invocation: Invocation) -> Response:
        with _of_container(), invocation.in_model():
            answer = self._http.post(url, json=document, timeout=faults.seconds)
        if not answer.is_success:
            raise ModelError(answer.status_code, answer.text)
        invocation.end(answer.status_code)
        return Response(answer.content, content_type="application/json")

    def _stream(self, url: str, document: dict[str, Any], faults: RuntimeFaults, invocation: Invocation) -> Response:
        request = self._http.build_request("POST", url, json={**document, "stream": True}, timeout=faults.seconds)
        with _of_container(), invocation.in_model():
            answer = self._http.send(request, stream=True)
        if not answer.is_success:
            text = answer.read().decode(errors="replace")
            answer.close()
            raise ModelError(answer.status_code, text)
        frames = self._frames(answer, faults, invocation)
        response = Response(frames, content_type="application/vnd.amazon.eventstream")
        # A caller who has gone before the first frame never starts the frames.
        response.call_on_close(lambda: invocation.end(200))
        response.headers["X-Amzn-SageMaker-Content-Type"] = "text/event-stream"
        return response

    def _frames(self, answer: httpx.Response, faults: RuntimeFaults, invocation: Invocation) -> Iterator[bytes]:
        is_broken = True
        try:
            with contextlib.closing(answer), invocation.in_model():
                for number, chunk in enumerate(answer.iter_bytes()):
                    if number == faults.breaks_after:
                        if not faults.cuts:
                            told = "The model took too long."
                            yield event_stream.fault("ModelStreamError", told, "ModelInvocationTimeExceeded")
                        return
                    if not number:
                        invocation.first_chunk()
                    # Pieces end anywhere, also inside a line.
                    middle = (len(chunk) + 1) // 2
                    for piece in (chunk[:middle], chunk[middle:]):
                        if piece:
                            yield event_stream.part(piece)
            is_broken = False
        except GeneratorExit:
            # The caller has gone, which is no fault of the model.
            is_broken = False
            raise
        finally:
            invocation.stream_ended(with_error=is_broken)
            invocation.end(200)


@contextlib.contextmanager
def _of_container() -> Iterator[None]:
    """Raises ModelError where the container gives no answer."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise ModelError(0, "Your invocation timed out while waiting for a response from container.") from error
    except httpx.HTTPError as error:
        raise ModelError(502, "The container closed the connection.") from error


def refused(error: AwsError) -> Response:
    """An error in the runtime's form."""
    body = json.dumps({"Message": error.message})
    headers = {"x-amzn-ErrorType": error.code}
    status = STATUS.get(error.code, error.status)
    return Response(body, status=status, headers=headers, content_type="application/json")


def _model_error(error: ModelError) -> Response:
    told = {
        "Message": f'Received client error ({error.status}) from model with message "{error.text}".',
        "OriginalStatusCode": error.status,
        "OriginalMessage": error.text,
        "LogStreamArn": "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/sagemaker/InferenceComponents",
    }
    headers = {"x-amzn-ErrorType": "ModelError"}
    return Response(json.dumps(told), status=424, headers=headers, content_type="application/json")


def _for_engine(body: bytes, model: str) -> tuple[str, dict[str, Any]]:
    """Path and body for the engine. As in LMI, whoever asks a base may name an adapter in the body."""
    try:
        document = json.loads(body)
    except ValueError as error:
        raise ModelError(400, "The body is not JSON.") from error
    if not isinstance(document, dict):
        raise ModelError(400, "The body is not a JSON object.")
    adapters = document.pop("adapters", None)
    if model == BASE and adapters:
        model = adapters if isinstance(adapters, str) else str(adapters[0])
    path = "/v1/chat/completions" if "messages" in document else "/v1/completions"
    return path, {**document, "model": model}


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationError", message)
