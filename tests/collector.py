"""A collector of OpenTelemetry's on this machine, and what it was sent."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

Said = dict[str, str | int | bool]


class Collector:
    """`answer` is the status that it gives; None lets a sender wait until `release`."""

    def __init__(self, answer: int | None = 200) -> None:
        self.answer = answer
        self.bodies: list[bytes] = []
        self.asked = threading.Event()
        self.released = threading.Event()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.asked.set()
                if collector.answer is None:
                    collector.released.wait()
                else:
                    collector.bodies.append(body)
                self.send_response(collector.answer or 503)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @property
    def env(self) -> dict[str, str]:
        """What a process needs to send its spans here, soon."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}

    def spans(self) -> list[Span]:
        """All of them, in the order in which they came."""
        found = []
        for body in list(self.bodies):
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    found += scope.spans
        return found

    def services(self) -> set[str]:
        """Which processes they are from."""
        return {
            attribute.value.string_value
            for body in list(self.bodies)
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for attribute in resource.resource.attributes
            if attribute.key == "service.name"
        }

    def wait_for(self, is_wanted: Callable[[Span], bool], seconds: float = 90) -> Span:
        """The first such span, once it is there."""
        deadline = time.monotonic() + seconds
        while True:
            spans = self.spans()
            if found := next(filter(is_wanted, spans), None):
                return found
            assert time.monotonic() < deadline, [(span.name, said(span)) for span in spans]
            time.sleep(0.05)


@contextmanager
def collecting(answer: int | None = 200) -> Iterator[Collector]:
    """One that listens until the end."""
    collector = Collector(answer)
    thread = threading.Thread(target=collector.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        collector.released.set()
        collector.server.shutdown()
        collector.server.server_close()
        thread.join()


def said(span: Span) -> Said:
    """Its attributes."""
    return {a.key: getattr(a.value, a.value.WhichOneof("value") or "string_value") for a in span.attributes}
