"""The stand-in's HTTP server: it implements SageMaker's training and hosting operations, Application Auto Scaling of
inference components, CloudWatch's alarms and metrics of endpoints, Bedrock's Converse and the price list. Everything
else is moto's.

moto's training jobs complete immediately and leave nothing in S3, and its endpoints answer nothing, so those operations
never reach moto. The model registry, S3, CloudWatch Logs and STS do; SageMaker's requests are first checked as strictly
as ours.
"""

import json
import logging
import re
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

from botocore import xform_name
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.sagemaker.responses import SageMakerResponse
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response

from standin.bedrock import Bedrock, refused
from standin.clock import Clock, RealClock
from standin.cloudwatch.promql.http import PATHS as PROMQL_PATHS
from standin.container import Container
from standin.errors import AwsError, not_found, unknown
from standin.faults import Faults
from standin.hosting import runtime
from standin.hosting.endpoints import HostingTiming
from standin.hosting.hosting import Hosting
from standin.objects import LogWriter, Objects, client, split_uri
from standin.pricing import Pricing, is_served
from standin.signatures import check_signature
from standin.training import TrainingJobs
from standin.training_job import ContainerFactory, Timing, request_id
from standin.validation import check_request, service_model

REGION = "eu-west-1"
ACCOUNT = "123456789012"
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
# The errors of the JSON services, and of S3.
THROTTLED = (AwsError("ThrottlingException", "Rate exceeded"), AwsError("SlowDown", "Reduce your request rate.", 503))
DENIED = (
    AwsError("AccessDeniedException", "User is not authorized to perform this action"),
    AwsError("AccessDenied", "Access Denied", 403),
)

SCALING = {
    "application-autoscaling": ("AnyScaleFrontendService.", "application-autoscaling"),
    "monitoring": ("GraniteServiceVersion20100801.", "cloudwatch"),
}
"""What scales and watches endpoints: the prefix of X-Amz-Target and botocore's name, by the service signed for."""

OURS = re.compile(r":(training-job|endpoint|inference-component)/")

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class StandIn:
    """AWS's stand-in on a free port of this machine. Containers run in `folder`."""

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock | None = None,
        timing: Timing | None = None,
        hosting_timing: HostingTiming | None = None,
        container: ContainerFactory = Container,
        port: int = 0,
    ) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.faults = Faults()
        self.bedrock = Bedrock()
        self.pricing = Pricing()
        self._moto: Wsgi = DomainDispatcherApplication(create_backend_app)
        self._public = _serve(self, port)
        # The stand-in's own access to S3 and the logs has no faults.
        self._inner = _serve(self._moto, 0)
        self._tokens: dict[str, bytes] = {}
        inner = _url(self._inner)
        self._objects = Objects(client("s3", inner, REGION))
        clock = clock or RealClock()
        self.hosting = Hosting(
            folder=folder / "hosting",
            clock=clock,
            timing=hosting_timing or HostingTiming(),
            objects=self._objects,
            region=REGION,
            account=ACCOUNT,
        )
        self.runtime = runtime.Runtime(self.hosting)
        self.training = TrainingJobs(
            folder=folder,
            clock=clock,
            timing=timing or Timing(),
            objects=self._objects,
            logs=LogWriter(client("logs", inner, REGION), LOG_GROUP),
            container=container,
            region=REGION,
            account=ACCOUNT,
        )

    @property
    def url(self) -> str:
        return _url(self._public)

    def start(self) -> Self:
        """Start answering requests, in threads."""
        for server in (self._public, self._inner):
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop answering and kill every container."""
        for server in (self._public, self._inner):
            server.shutdown()
            server.server_close()
        self.training.close()
        self.hosting.close()

    def make_bucket(self, name: str) -> None:
        """Create a bucket, unless it exists: moto keeps buckets for the life of this process."""
        location: Any = {"LocationConstraint": REGION}
        s3 = client("s3", _url(self._inner), REGION)
        with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
            s3.create_bucket(Bucket=name, CreateBucketConfiguration=location)

    def put_folder(self, folder: Path, uri: str) -> None:
        """Upload the files directly in a folder to an s3:// prefix."""
        bucket, prefix = split_uri(uri)
        for path in folder.iterdir():
            self._objects.put(bucket, f"{prefix.rstrip('/')}/{path.name}", path.read_bytes())

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        service = service_of(environ)
        if service == "sagemaker" and environ["PATH_INFO"].startswith("/endpoints/"):
            # Signed for the same service as the control plane.
            service = "sagemaker-runtime"
        if self.faults.cut(service) or (service == "pricing" and not is_served(environ)):
            _hang_up(environ)
        if service in self.faults.denied:
            return _refusal(service, *DENIED)(environ, start_response)
        if self.faults.throttle(service):
            return _refusal(service, *THROTTLED)(environ, start_response)
        lost = self.faults.lose_answer(service)
        answer = self._own(service, environ)
        if lost:
            # The work is done, but the client never learns of it.
            if answer is None:
                list(self._moto(environ, lambda *arguments: None))
            _hang_up(environ)
        return (answer or self._moto)(environ, start_response)

    def _own(self, service: str, environ: dict[str, Any]) -> Response | None:
        """The response of a service that is implemented here, None for moto's."""
        if service == "sagemaker":
            return self._sagemaker(environ)
        if service == "sagemaker-runtime":
            return self.runtime.respond(environ)
        if service in SCALING:
            return self._scaling(service, environ)
        if service == "pricing":
            return self.pricing.respond(environ)
        return self.bedrock.respond(environ) if service == "bedrock" else None

    def _sagemaker(self, environ: dict[str, Any]) -> Response:
        """The response to a SageMaker request: ours for training jobs, otherwise moto's if it has the operation."""
        operation = environ.get("HTTP_X_AMZ_TARGET", "").removeprefix("SageMaker.")
        try:
            if operation not in service_model().operation_names:
                raise unknown(operation)
            http = HttpRequest(environ, populate_request=False, shallow=False)
            body = http.get_data(cache=False)
            environ["wsgi.input"] = _Again(body)
            request = json.loads(body or b"{}")
            check_request(operation, request)
            if operation in self.training.operations:
                return _json(self.training.handle(operation, request))
            if operation in self.hosting.operations:
                return _json(self.hosting.handle(operation, request))
            if operation == "ListTags" and OURS.search(request["ResourceArn"]):
                tags = self.training.tags(request["ResourceArn"])
                tags = self.hosting.tags(request["ResourceArn"]) if tags is None else tags
                if tags is None:
                    raise not_found()
                return _json({"Tags": tags})
            if operation == "CreateModelPackage" and "ClientToken" in request:
                return self._once(request["ClientToken"], environ)
            return self._of_moto(operation, environ)
        except AwsError as error:
            return _error(error)

    def _scaling(self, service: str, environ: dict[str, Any]) -> Response | None:
        """The response of Application Auto Scaling or CloudWatch, whose other figures are moto's."""
        prefix, model = SCALING[service]
        operation = environ.get("HTTP_X_AMZ_TARGET", "").removeprefix(prefix)
        try:
            if service == "monitoring" and environ["PATH_INFO"] in PROMQL_PATHS:
                return self._promql(environ)
            if operation not in service_model(model).operation_names:
                # CloudWatch also speaks CBOR and forms, but botocore and AWS's command line send JSON.
                raise unknown(operation or "without X-Amz-Target")
            if operation not in self.hosting.operations:
                if service == "monitoring" and "Alarm" not in operation:
                    return None
                raise unknown(operation)
            request = json.loads(HttpRequest(environ).get_data() or b"{}")
            check_request(operation, request, service=model)
            return _json(self.hosting.handle(operation, request))
        except AwsError as error:
            if service != "monitoring":
                return _error(error)
            code = "ValidationError" if error.code == "ValidationException" else error.code
            response = _error(AwsError(code, error.message, error.status))
            response.headers["x-amzn-query-error"] = f"{code};Sender"
            return response

    def _promql(self, environ: dict[str, Any]) -> Response:
        """The response of CloudWatch's PromQL, which no client of ours signs by itself."""
        http = HttpRequest(environ)
        check_signature(http, service="monitoring", region=REGION)
        self.hosting.advance()
        return self.hosting.promql.respond(http, self.hosting.now)

    def _of_moto(self, operation: str, environ: dict[str, Any]) -> Response:
        # moto's training jobs and endpoints are not ours.
        if re.search("TrainingJob|Endpoint", operation) or not hasattr(SageMakerResponse, xform_name(operation)):
            raise unknown(operation)
        answer = Response.from_app(self._moto, environ)
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise AwsError("InternalFailure", f"The stand-in cannot handle this {operation}.", answer.status_code)
        return answer

    def _once(self, token: str, environ: dict[str, Any]) -> Response:
        """Return the same model package for the same token; moto would create another."""
        if token not in self._tokens:
            answer = self._of_moto("CreateModelPackage", environ)
            if answer.status_code != HTTPStatus.OK:
                return answer
            self._tokens[token] = answer.get_data()
        return Response(self._tokens[token], content_type="application/x-amz-json-1.1")


class _Again:
    """A request's body, which moto reads a second time."""

    def __init__(self, body: bytes) -> None:
        self._left = body

    def read(self, size: int = -1) -> bytes:
        size = len(self._left) if size < 0 else size
        part, self._left = self._left[:size], self._left[size:]
        return part


def service_of(environ: dict[str, Any]) -> str:
    """The service for which a request is signed."""
    signed = f"{environ.get('HTTP_AUTHORIZATION', '')} {environ.get('QUERY_STRING', '').replace('%2F', '/')}"
    scope = re.search(r"/([a-z0-9-]+)/aws4_request", signed)
    return scope[1] if scope else ""


def _json(answer: dict[str, Any]) -> Response:
    return Response(
        json.dumps(answer), content_type="application/x-amz-json-1.1", headers={"x-amzn-RequestId": request_id()}
    )


def _error(error: AwsError) -> Response:
    response = _json({"__type": error.code, "message": error.message})
    response.status_code = error.status
    return response


def _refusal(service: str, of_json: AwsError, of_s3: AwsError) -> Response:
    if service == "bedrock":
        return refused(of_json)
    if service == "sagemaker-runtime":
        return runtime.refused(of_json)
    if service != "s3":
        return _error(of_json)
    body = f"<Error><Code>{of_s3.code}</Code><Message>{of_s3.message}</Message></Error>"
    return Response(body, status=of_s3.status, content_type="application/xml")


def _hang_up(environ: dict[str, Any]) -> None:
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError("the connection was cut on purpose")


def _serve(app: Any, port: int) -> BaseWSGIServer:
    return make_server("127.0.0.1", port, app, threaded=True, request_handler=MotoRequestHandler)


def _url(server: BaseWSGIServer) -> str:
    return f"http://127.0.0.1:{server.port}"
