"""The server of an encoder: OpenAI's embeddings, tokens' vectors, its key, and what it refuses."""

import base64
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest
from starlette.testclient import TestClient

from lorakit.encode.encoder import TextEncoder
from lorakit.encode.server import MOST_TEXTS, create_app
from tests.lorakit.encode.tiny_encoder import SIZE, write_encoder

KEY = "encoder-key"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[TestClient]:
    app = create_app(TextEncoder.load(folder), "tiny", KEY)
    with TestClient(app, headers={"Authorization": f"Bearer {KEY}"}) as client:
        yield client


def asked(client: TestClient, **body: Any) -> Any:
    response = client.post("/v1/embeddings", json=body)
    assert response.status_code == 200, response.text
    return response.json()


def test_texts_get_vectors_in_order(client: TestClient) -> None:
    found = asked(client, model="tiny", input=["the cat", "a dog ran"])
    assert [entry["index"] for entry in found["data"]] == [0, 1]
    assert np.linalg.norm(found["data"][1]["embedding"]) == pytest.approx(1)
    assert found["usage"] == {"prompt_tokens": 9, "total_tokens": 9}
    [alone] = asked(client, input="a dog ran")["data"]
    np.testing.assert_allclose(alone["embedding"], found["data"][1]["embedding"], atol=1e-5)


def test_base64_holds_the_same_numbers(client: TestClient) -> None:
    [plain] = asked(client, input="the cat")["data"]
    [packed] = asked(client, input="the cat", encoding_format="base64")["data"]
    np.testing.assert_allclose(np.frombuffer(base64.b64decode(packed["embedding"]), "<f4"), plain["embedding"])


def test_tokens_vectors_come_if_asked_for(client: TestClient) -> None:
    [plain] = asked(client, input="the cat sat")["data"]
    assert "token_embeddings" not in plain
    [entry] = asked(client, input="the cat sat", token_vectors=True)["data"]
    assert (entry["tokens"], np.shape(entry["token_embeddings"])) == (3, (3, SIZE))
    [packed] = asked(client, input="the cat sat", token_vectors=True, encoding_format="base64")["data"]
    numbers = np.frombuffer(base64.b64decode(packed["token_embeddings"]), "<f4").reshape(3, SIZE)
    np.testing.assert_allclose(numbers, entry["token_embeddings"], rtol=1e-5)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"no json", 400),
        (b'{"input": 5}', 400),
        (b'{"input": []}', 400),
        (b'{"input": [[1, 2]]}', 400),
        (b"{}", 400),
        (b'{"input": "a", "encoding_format": "hex"}', 400),
        (b'{"input": "a", "dimensions": 8}', 400),
        (b'{"input": "a", "model": "another"}', 404),
        (b'{"input": "' + b"a" * (4 << 20) + b'"}', 413),
    ],
    ids=["no-json", "number", "nothing", "tokens", "empty", "format", "dimensions", "model", "large"],
)
def test_bad_requests_are_refused(client: TestClient, body: bytes, status: int) -> None:
    response = client.post("/v1/embeddings", content=body)
    assert response.status_code == status
    assert response.json()["error"]["message"]


def test_too_many_texts_are_refused(client: TestClient) -> None:
    response = client.post("/v1/embeddings", json={"input": ["a"] * (MOST_TEXTS + 1)})
    assert response.status_code == 400


def test_it_asks_for_its_key(client: TestClient) -> None:
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer other"}):
        assert client.post("/v1/embeddings", json={"input": "a"}, headers=headers).status_code == 401
    assert client.get("/health", headers={"Authorization": ""}).json() == {"status": "ok", "model": "tiny"}
    assert client.get("/v1/models").json()["data"][0]["id"] == "tiny"


@pytest.mark.slow
def test_as_a_process_it_serves_openais_client_and_dies_with_its_parent(folder: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    parent_code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-m', 'lorakit.encode', *sys.argv[1:]])\n"
        "print(child.pid, flush=True)\n"
        "child.wait()\n"
    )
    command = [sys.executable, "-c", parent_code, "--model", str(folder), "--port", str(port), "--die-with-parent"]
    parent = subprocess.Popen(
        command,
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"ENCODER_API_KEY": KEY},
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    try:
        ended = os.pidfd_open(child)
        with openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=KEY, max_retries=60) as client:
            found = client.embeddings.create(model=folder.name, input=["the cat", "a dog"])
        assert [len(entry.embedding) for entry in found.data] == [SIZE, SIZE]
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        # A process's descriptor is readable once it has ended.
        import select

        assert select.select([ended], [], [], 60)[0], "the server outlived its parent"
        os.close(ended)
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()
