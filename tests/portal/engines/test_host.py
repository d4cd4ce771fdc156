"""Requests to an engine that may not run yet."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import openai
import pytest
from django.conf import settings

from lorakit.tiny.canaries import pack_canary
from portal.engines.catalogue import site_encoder
from portal.supervisor.processes import Ports, site_environment
from tests.lorakit.encode.tiny_encoder import write_encoder
from tests.portal.engines.host import BASE, KEY, Running, SlowCatalogue, running_host

pytestmark = pytest.mark.slow

QUESTION = {
    "model": BASE,
    "messages": [{"role": "user", "content": "Name: Ruth Vale."}],
    "max_tokens": 4,
    "temperature": 0,
}


@pytest.fixture(scope="module", autouse=True)
def engine_key() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENGINE_API_KEY", KEY)
        yield


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Running]:
    with running_host(tmp_path) as running:
        yield running


@pytest.fixture
def client(host: Running) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=f"{host.url}/bases/{BASE}", headers={"authorization": f"Bearer {KEY}"}, timeout=120
    ) as client:
        yield client


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def test_the_first_request_starts_the_engine(host: Running, client: httpx.Client) -> None:
    assert client.get("/health").json() == {"status": "stopped"}
    answer = client.post("/v1/chat/completions", json=QUESTION)
    assert answer.status_code == 200
    assert answer.json()["usage"]["completion_tokens"] == 4
    assert float(answer.headers["x-busy-ms"]) > 0
    assert client.get("/health").json() == {"status": "running"}
    assert answer.json()["choices"] == client.post("/v1/chat/completions", json=QUESTION).json()["choices"]


def test_openai_client_streams_through_it(host: Running) -> None:
    with openai.OpenAI(base_url=f"{host.url}/bases/{BASE}/v1", api_key=KEY, max_retries=0) as client:
        stream = client.chat.completions.create(
            model=BASE, messages=[{"role": "user", "content": "Name: Ruth Vale."}], max_tokens=4, stream=True
        )
        pieces = [piece.choices[0].delta.content or "" for piece in stream if piece.choices]
    assert "".join(pieces)


def test_what_is_only_read_starts_nothing(host: Running, client: httpx.Client) -> None:
    for path in ("/health", "/metrics", "/v1/models"):
        assert client.get(path).status_code == 200
    assert [model["id"] for model in client.get("/v1/models").json()["data"]] == [BASE]
    assert "vllm:max_gpu_lora_adapters 4" in client.get("/metrics").text
    assert host.pool.state(BASE) == "stopped"


def test_a_stopped_engine_lists_the_adapters_it_has_again(tmp_path: Path) -> None:
    package = tmp_path / "packed.tar.gz"
    pack_canary(settings.BASE_MODEL_DIR, package, seed=1)
    headers = {"authorization": f"Bearer {KEY}"}
    load = {"lora_name": "one", "lora_path": str(package)}
    with running_host(tmp_path, idle_seconds=0.0) as host:
        url = f"{host.url}/bases/{BASE}"
        assert httpx.post(f"{url}/v1/load_lora_adapter", json=load, headers=headers, timeout=120).status_code == 200
        until(lambda: host.pool.state(BASE) == "stopped")
        listed = httpx.get(f"{url}/v1/models", headers=headers).json()["data"]
        assert [(model["id"], model["parent"]) for model in listed] == [(BASE, None), ("one", BASE)]
        answer = httpx.post(
            f"{url}/v1/chat/completions", json=QUESTION | {"model": "one"}, headers=headers, timeout=120
        )
        assert answer.status_code == 200
        assert answer.headers["x-adapter-sha256"]


def test_an_engine_s_refusal_is_passed_on(client: httpx.Client) -> None:
    answer = client.post("/v1/chat/completions", json=QUESTION | {"model": "nobody"})
    assert answer.status_code == 404
    assert "nobody" in answer.json()["error"]["message"]


def test_an_unknown_base_is_not_found(host: Running) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    answer = httpx.post(f"{host.url}/bases/unknown/v1/chat/completions", json=QUESTION, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_base_model")


def test_without_the_key_nothing_starts(host: Running) -> None:
    for path in ("/health", "/v1/models", "/v1/chat/completions"):
        assert httpx.post(f"{host.url}/bases/{BASE}{path}", json=QUESTION).status_code in (401, 405)
    assert httpx.get(f"{host.url}/health").status_code == 200
    assert host.pool.state(BASE) == "stopped"


def test_a_body_that_is_too_large_starts_nothing(host: Running, client: httpx.Client) -> None:
    answer = client.post("/v1/chat/completions", content=b" " * (4 * 1024 * 1024 + 1))
    assert answer.status_code == 413
    assert host.pool.state(BASE) == "stopped"


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Running]:
    with running_host(tmp_path, kind=SlowCatalogue) as running:
        yield running


def test_one_whose_caller_goes_away_is_not_in_use_any_more(slow: Running) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    url = f"{slow.url}/bases/slow"
    with httpx.stream("POST", f"{url}/stream", headers=headers, timeout=60) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "data: 1"
        child = slow.pool.running("slow")
        assert child is not None
        assert child.open == 1
    until(lambda: child.open == 0)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{url}/whole", headers=headers, timeout=httpx.Timeout(60, read=1.0))
    until(lambda: child.open == 0)


def test_an_engine_that_dies_while_it_answers_is_told_and_starts_again(slow: Running) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    answers: list[httpx.Response] = []

    def ask() -> None:
        answers.append(httpx.post(f"{slow.url}/bases/slow/whole", headers=headers, timeout=60))

    asking = threading.Thread(target=ask)
    asking.start()
    until(lambda: (child := slow.pool.running("slow")) is not None and child.open == 1)
    child = slow.pool.running("slow")
    assert child is not None
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    asking.join()
    assert [answer.status_code for answer in answers] == [503]
    assert answers[0].json()["error"]["code"] == "engine_lost"
    with httpx.stream("POST", f"{slow.url}/bases/slow/stream", headers=headers, timeout=60) as again:
        assert again.status_code == 200


def test_headers_of_a_connection_are_not_passed_on(client: httpx.Client) -> None:
    answer = client.post("/v1/chat/completions", json=QUESTION)
    assert answer.headers.get_list("server") == ["uvicorn"]
    assert len(answer.headers.get_list("date")) == 1
    assert json.loads(answer.content)["object"] == "chat.completion"


def test_the_encoder_starts_when_it_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCODER_API_KEY", KEY)
    folder = write_encoder(tmp_path / "encoders" / "tiny")
    headers = {"authorization": f"Bearer {KEY}"}
    with running_host(tmp_path, encoder=folder) as host:
        url = f"{host.url}/encoder"
        assert httpx.get(f"{url}/health", headers=headers).json() == {"status": "stopped"}
        answer = httpx.post(f"{url}/v1/embeddings", json={"input": ["the cat sat"]}, headers=headers, timeout=120)
        assert answer.status_code == 200
        assert len(answer.json()["data"][0]["embedding"]) == 16
        assert httpx.get(f"{url}/health", headers=headers).json() == {"status": "running"}
    with running_host(tmp_path) as host:
        answer = httpx.post(f"{host.url}/encoder/v1/embeddings", json={"input": "x"}, headers=headers)
        assert answer.status_code == 404


def test_a_site_has_the_encoder_in_its_folder(tmp_path: Path) -> None:
    assert site_encoder(tmp_path) is None
    for name in ("b.unfinished", "c"):
        (tmp_path / "encoders" / name).mkdir(parents=True)
        (tmp_path / "encoders" / name / "config.json").write_text("{}")
    assert site_encoder(tmp_path) == tmp_path / "encoders" / "c"
    ports = Ports()
    environment = site_environment(ports, encoder="c")
    assert environment["ENCODER_URL"] == "http://127.0.0.1:8003/encoder/v1"
    assert environment["ENCODER_API_KEY"] == environment["ENGINE_API_KEY"]
    assert "ENCODER_URL" not in site_environment(ports)
