"""A site that names no collector loads nothing of OpenTelemetry's, and one whose collector is broken goes on."""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.embedded.process import free_port
from rest.tracing.spans import Kind, Spans, spans, use
from rest.tracing.start import start_tracing, stop_tracing
from tests.collector import Collector, collecting, said

ROOT = Path(__file__).resolve().parents[3]
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """This process's spans go there."""
    with collecting() as collector:
        for name, value in collector.env.items():
            monkeypatch.setenv(name, value)
        yield collector
        stop_tracing()
        use(Spans())


LOADED = """
import sys
import django
django.setup()
import portal.wsgi, portal.celery, serving.gateway.server
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""


@pytest.mark.parametrize("env", [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, {"OTEL_SDK_DISABLED": "True"}])
def test_nothing_is_loaded_where_no_collector_is_named(env: dict[str, str]) -> None:
    if "OTEL_SDK_DISABLED" in env:
        env = env | {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    environ = {"DJANGO_SETTINGS_MODULE": "portal.settings", **os.environ, **env}
    done = subprocess.run([sys.executable, "-c", LOADED], cwd=ROOT, env=environ, capture_output=True, check=True)
    assert done.stdout.decode().splitlines()[-1] == "[]"
    assert not spans().are_recorded


def test_spans_of_one_trace_reach_the_collector_without_messages_of_errors(collector: Collector) -> None:
    start_tracing("a-service")

    with spans().within("outer", kind=Kind.SERVER, traceparent=CALLER) as outer:
        spans().begin("call", kind=Kind.CLIENT).end()
        attributes = {"adapter_portal.job.kind": "toy", "db.statement": "canary"}
        with contextlib.suppress(ValueError), spans().within("inner", attributes=attributes):
            raise ValueError("canary")
    stop_tracing()
    found = {span.name: span for span in collector.spans()}
    assert {span.trace_id.hex() for span in found.values()} == {CALLER.split("-")[1]}
    assert found["outer"].parent_span_id.hex() == CALLER.split("-")[2]
    assert {found["inner"].parent_span_id, found["call"].parent_span_id} == {found["outer"].span_id}
    assert outer.traceparent == f"00-{CALLER.split('-')[1]}-{found['outer'].span_id.hex()}-01"
    assert said(found["inner"]) == {"adapter_portal.job.kind": "toy", "error.type": "ValueError"}
    assert b"canary" not in b"".join(collector.bodies)
    assert collector.services() == {"a-service"}


@pytest.mark.parametrize(
    "header", ["", "canary", "00-" + "0" * 32 + "-b7ad6b7169203331-01", CALLER.upper() + "-more", "ff" + CALLER[2:]]
)
def test_a_malformed_caller_begins_a_trace_of_our_own(collector: Collector, header: str) -> None:
    start_tracing("a-service")
    # What this thread did before must not become the parent.
    with spans().within("before"), spans().within("page", kind=Kind.SERVER, traceparent=header):
        pass
    stop_tracing()
    page = next(span for span in collector.spans() if span.name == "page")
    assert page.parent_span_id == b""
    assert page.trace_id.hex() not in (CALLER.split("-")[1], "0" * 32)


def test_nothing_waits_for_a_collector_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting(answer=None) as collector:
        for name, value in collector.env.items():
            monkeypatch.setenv(name, value)
        start_tracing("a-service")
        try:
            # More than the queue holds: what is too much is dropped.
            for _ in range(5_000):
                with spans().within("page", kind=Kind.SERVER):
                    pass
            assert collector.asked.wait(60)
            with spans().within("page", kind=Kind.SERVER):
                pass
            stopped = threading.Thread(target=stop_tracing)
            stopped.start()
            stopped.join(60)
            assert not stopped.is_alive(), "the process waits for its collector"
            assert not collector.released.is_set()
        finally:
            use(Spans())


def test_nothing_fails_where_no_collector_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"http://127.0.0.1:{free_port()}/v1/traces")
    assert start_tracing("a-service") is not None
    try:
        with spans().within("page", kind=Kind.SERVER) as span:
            assert span.traceparent.startswith("00-")
        stop_tracing()
    finally:
        use(Spans())
