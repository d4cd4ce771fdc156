"""A running engine with two adapters and one slot too few, and clients for it."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest
import uvicorn

from lorakit.serve.engine import Engine, Settings
from lorakit.serve.server import create_app

KEY = "engine-key"


@pytest.fixture(scope="module")
def engine(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    cache = tmp_path_factory.mktemp("cache")
    return Engine(Settings(base=str(base), base_id="tiny-llama", cache=cache, slots=2, max_rank=16))


@pytest.fixture(scope="module")
def url(engine: Engine) -> Iterator[str]:
    """A running server with one slot too few for all its adapters."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = create_app(engine, KEY)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    address = f"http://127.0.0.1:{port}"
    for _ in range(200):
        if server.started:
            break
        time.sleep(0.05)
    yield address
    server.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, headers={"authorization": f"Bearer {KEY}"}, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def loaded(http: httpx.Client, adapters: dict[str, Path]) -> dict[str, Path]:
    """Both adapters, by their names."""
    for name, path in adapters.items():
        answer = http.post("/v1/load_lora_adapter", json={"lora_name": name, "lora_path": str(path)})
        assert answer.status_code == 200, answer.text
    return adapters
