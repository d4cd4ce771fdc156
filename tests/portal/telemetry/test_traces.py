"""Traces of pages, of what they have Celery do, and of jobs."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from django.test import Client

from jobs.models import Job
from portal.embedded.process import free_port
from rest.tracing.spans import Spans, use
from rest.tracing.start import start_tracing, stop_tracing
from tenants.models import Tenant
from tests.collector import Collector, collecting, said
from tests.jobs.conftest import start_toy, toy  # noqa: F401 - fixtures
from tests.jobs.worker import Worker

ROOT = Path(__file__).resolve().parents[3]
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CALLER = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=canary-state"}


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """This process's spans go there."""
    with collecting() as collector:
        for name, value in collector.env.items():
            monkeypatch.setenv(name, value)
        start_tracing("tests")
        yield collector
        stop_tracing()
        use(Spans())


@pytest.mark.django_db
def test_a_page_is_a_span_of_its_caller(collector: Collector, as_alice: Client, tenant: Tenant) -> None:
    assert as_alice.get("/datasets/?q=canary-query", headers=CALLER | {"user-agent": "canary-agent"}).status_code == 200
    assert as_alice.get(f"/datasets/{uuid4()}/").status_code == 404
    assert as_alice.get("/canary-path/").status_code == 404
    assert as_alice.generic("CANARY", "/datasets/").status_code == 405
    assert as_alice.get("/datasets/", headers={"host": "canary-host"}).status_code == 400
    assert as_alice.get("/health/").status_code == 200
    stop_tracing()
    listed, missing, unknown, strange, elsewhere = collector.spans()
    assert (listed.name, listed.trace_id.hex(), listed.parent_span_id.hex()) == ("GET /datasets/", TRACE, PARENT)
    assert said(listed) == {
        "http.request.method": "GET",
        "http.route": "/datasets/",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "adapter_portal.tenant.id": str(tenant.id),
    }
    assert missing.name.startswith("GET /datasets/<")
    assert (unknown.name, said(unknown)["http.response.status_code"]) == ("GET", 404)
    assert strange.name == "_OTHER /datasets/"
    assert said(elsewhere)["http.response.status_code"] == 400
    assert len({span.trace_id for span in (missing, unknown, strange, elsewhere)}) == 4
    assert b"canary" not in b"".join(collector.bodies)


@pytest.mark.django_db
def test_each_step_of_a_job_is_a_span(
    collector: Collector,
    start_toy: Callable[..., Job],  # noqa: F811
    run_jobs: Callable[[], None],
    tenant: Tenant,
) -> None:
    # Which the kind refuses: a job that fails says why to its owner only.
    job = start_toy(note="canary-spec")
    run_jobs()
    stop_tracing()
    steps = [span for span in collector.spans() if span.name == "step toy"]
    assert said(steps[-1]) == {
        "adapter_portal.tenant.id": str(tenant.id),
        "adapter_portal.job.id": str(job.id),
        "adapter_portal.job.kind": "toy",
        "adapter_portal.job.attempt": 1,
        "adapter_portal.job.state": "failed",
    }
    assert b"canary" not in b"".join(collector.bodies)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_worker_says_which_task_stepped_the_job(start_toy: Callable[..., Job], tmp_path: Path) -> None:  # noqa: F811
    with collecting() as collector:
        job = start_toy()
        worker = Worker(tmp_path, "tests.jobs.toy_kind", **collector.env)
        worker.start()
        try:

            def is_last(span: object) -> bool:
                return said(span).get("adapter_portal.job.state") == "succeeded"  # type: ignore[arg-type]

            step = collector.wait_for(is_last)
            # A task is sent when it ends, after its steps.
            task = collector.wait_for(lambda span: span.span_id == step.parent_span_id)
            publishing = collector.wait_for(lambda span: span.span_id == task.parent_span_id)
        finally:
            worker.kill()
    assert said(step)["adapter_portal.job.id"] == str(job.id)
    assert (task.name, said(task)["celery.task_name"]) == ("run/jobs.step", "jobs.step")
    assert publishing.name == "apply_async/jobs.step"
    assert {step.trace_id, task.trace_id} == {publishing.trace_id}
    assert collector.services() == {"adapter-portal-worker"}
    allowed = {"celery.action", "celery.state", "celery.task_name", "messaging.message.id"}
    assert set(said(task)) | set(said(publishing)) <= allowed


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_web_server_sends_its_spans() -> None:
    port = free_port()
    with collecting() as collector:
        env = os.environ | collector.env | {"OTEL_SERVICE_NAME": "my-site"}
        command = [sys.executable, "-m", "portal.web", "--port", str(port), "--workers", "1"]
        server = subprocess.Popen(command, cwd=ROOT, env=env)
        try:
            deadline = time.monotonic() + 100
            while not _answers(f"http://127.0.0.1:{port}/sign-in/?canary-query=%FF"):
                assert time.monotonic() < deadline
                time.sleep(0.1)
            page = collector.wait_for(lambda span: span.name == "GET /sign-in/")
        finally:
            server.terminate()
            server.wait(30)
        assert said(page)["http.response.status_code"] == 200
        assert collector.services() == {"my-site"}
        assert b"canary" not in b"".join(collector.bodies)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
