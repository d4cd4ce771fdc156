"""A traced gateway: one trace from the caller to the engine, without a word of theirs."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from portal.embedded.process import free_port
from serving.models import Endpoint
from tenants.models import Tenant
from tests.collector import Collector, collecting, said
from tests.serving.gateway.gateway_client import new_line
from tests.serving.gateway.test_gateway_process import running, wait_until_it_listens

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
ANSWER = {"role": "assistant", "content": "canary-answer"}


class FakeEngine:
    """Answers every chat with the same text, and remembers the headers."""

    def __init__(self) -> None:
        self.headers: list[dict[str, str]] = []
        engine = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                engine.headers.append({name.lower(): value for name, value in self.headers.items()})
                if asked.get("stream"):
                    events = [
                        {"id": "c", "choices": [{"index": 0, "delta": ANSWER}]},
                        {"id": "c", "choices": [], "usage": USAGE},
                    ]
                    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
                else:
                    body = json.dumps({"id": "c", "choices": [{"index": 0, "message": ANSWER}], "usage": USAGE})
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def fake() -> Iterator[FakeEngine]:
    engine = FakeEngine()
    thread = threading.Thread(target=engine.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield engine
    engine.server.shutdown()
    engine.server.server_close()
    thread.join()


@contextmanager
def traced_gateway(
    folder: Path, fake: FakeEngine, collector: Collector, monkeypatch: pytest.MonkeyPatch, **env: str
) -> Iterator[str]:
    """A gateway's URL; it has ended, as a site ends it, when this does."""
    for name, value in (collector.env | {"ENGINE_URL": fake.url} | env).items():
        monkeypatch.setenv(name, value)
    port = free_port()
    with running(folder, "--port", str(port)) as child:
        wait_until_it_listens(child, port, folder)
        yield f"http://127.0.0.1:{port}"
        child.terminate()
        child.wait(timeout=60)


def chat(url: str, token: str, *, model: str = "tiny-llama", query: str = "", **more: object) -> httpx.Response:
    headers = {
        "authorization": f"Bearer {token}",
        "traceparent": f"00-{TRACE}-{PARENT}-01",
        "tracestate": "vendor=canary-state",
        "baggage": "name=canary-baggage",
        "user-agent": "canary-agent",
    }
    body = {"model": model, "messages": [{"role": "user", "content": "canary-prompt"}], **more}
    return httpx.post(f"{url}/v1/chat/completions{query}", json=body, headers=headers, trust_env=False, timeout=60)


def test_one_trace_leads_from_the_caller_to_the_engine(
    tenant: Tenant, endpoint: Endpoint, fake: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = new_line(tenant).token
    with collecting() as collector:
        # Only what is sent at the end is seen here.
        late = {"OTEL_BSP_SCHEDULE_DELAY": "600000"}
        with traced_gateway(tmp_path / "one", fake, collector, monkeypatch, **late) as url:
            answers = [
                chat(url, token),
                chat(url, token, stream=True),
                chat(url, token, model="canary-name", query="?canary-query=%FF"),
                httpx.get(f"{url}/canary-path?\xff=1", trust_env=False),
            ]
            assert httpx.get(f"{url}/health", trust_env=False).status_code == 200
        assert [answer.status_code for answer in answers] == [200, 200, 404, 404]
        assert "canary-answer" in answers[1].text
        sent, services = collector.spans(), collector.services()
    assert services == {"adapter-portal-gateway"}
    assert b"canary" not in b"".join(collector.bodies)
    assert {span.trace_id.hex() for span in sent if span.name != "GET"} == {TRACE}

    requests = [span for span in sent if span.name == "POST /v1/chat/completions"]
    assert [said(span)["http.response.status_code"] for span in requests] == [200, 200, 404]
    assert {span.parent_span_id.hex() for span in requests} == {PARENT}
    assert {said(span)["adapter_portal.tenant.id"] for span in requests} == {str(tenant.id)}
    assert [said(span)["http.response.status_code"] for span in sent if span.name == "GET"] == [404]

    calls = [span for span in sent if span.name == "chat tiny-llama"]
    assert [span.parent_span_id for span in calls] == [span.span_id for span in requests[:2]]
    assert [heard["traceparent"] for heard in fake.headers] == [f"00-{TRACE}-{c.span_id.hex()}-01" for c in calls]
    for call, streamed in zip(calls, (False, True), strict=True):
        assert said(call) | {"adapter_portal.request.id": ""} == {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "adapter_portal",
            "gen_ai.request.model": "tiny-llama",
            "gen_ai.request.stream": streamed,
            "gen_ai.usage.input_tokens": 7,
            "gen_ai.usage.output_tokens": 3,
            "gen_ai.usage.cache_read.input_tokens": 0,
            "adapter_portal.tenant.id": str(tenant.id),
            "adapter_portal.endpoint": "shared",
            "adapter_portal.request.id": "",
        }
        assert call.end_time_unix_nano > call.start_time_unix_nano
    routes = [span for span in sent if span.name == "route"]
    assert [span.parent_span_id for span in routes] == [span.span_id for span in requests]
    assert said(routes[2])["error.type"] == "GatewayError"


def test_an_engine_that_is_away_ends_the_span_as_failed(
    tenant: Tenant, endpoint: Endpoint, fake: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = new_line(tenant).token
    away = {"ENGINE_URL": f"http://127.0.0.1:{free_port()}"}
    with (
        collecting() as collector,
        traced_gateway(tmp_path / "one", fake, collector, monkeypatch, **away) as url,
    ):
        assert chat(url, token).status_code == 503
        call = collector.wait_for(lambda span: span.name == "chat tiny-llama")
        request = collector.wait_for(lambda span: span.name == "POST /v1/chat/completions")
    assert said(call)["error.type"] == "endpoint_unavailable"
    assert (said(request)["error.type"], said(request)["http.response.status_code"]) == ("503", 503)


@pytest.mark.parametrize("answer", [503, None], ids=["fails", "hangs"])
def test_a_broken_collector_holds_up_no_request(
    tenant: Tenant,
    endpoint: Endpoint,
    fake: FakeEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: int | None,
) -> None:
    token = new_line(tenant).token
    with collecting(answer) as collector:
        with traced_gateway(tmp_path / "one", fake, collector, monkeypatch) as url:
            assert chat(url, token).status_code == 200
            assert collector.asked.wait(60)
            # It still waits for the collector now, if that is one that hangs.
            assert all(chat(url, token).status_code == 200 for _ in range(20))
        # The gateway has ended although nothing was received.
        assert not collector.released.is_set()
