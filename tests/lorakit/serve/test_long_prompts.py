"""Prompts beyond the context are refused unread, and reading one holds nobody up."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from lorakit.base import load_tokenizer
from lorakit.serve.engine import Engine, Settings
from lorakit.serve.requests.errors import ApiError
from lorakit.serve.requests.prompts import PromptEncoder
from lorakit.serve.requests.protocol import Ask
from lorakit.serve.server import create_app

CONTEXT = 2048
MILLIONS = 3_500_000


@pytest.fixture(scope="module")
def engine(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    cache = tmp_path_factory.mktemp("cache")
    return Engine(Settings(base=str(base), base_id="tiny-llama", cache=cache, slots=1, max_rank=4))


@pytest.fixture
def client(engine: Engine) -> Iterator[TestClient]:
    engine.batcher = type(engine.batcher)(engine.batcher._batch)
    with TestClient(create_app(engine)) as client:
        yield client


class Unread:
    """A tokenizer that fails the test when it is given a text."""

    def __init__(self, base: Path) -> None:
        self._real = load_tokenizer(base)
        self.backend_tokenizer = self._real.backend_tokenizer

    def get_vocab(self) -> dict[str, int]:
        return self._real.get_vocab()


def asked(text: str) -> list[dict[str, object]]:
    """The bodies that ask a text in each way there is."""
    part = {"type": "text", "text": text}
    return [
        {"prompt": text},
        {"messages": [{"role": "user", "content": text}]},
        {"messages": [{"role": "user", "content": [part]}]},
        {"messages": [{"role": "user", "content": "x"}] * 3000},
    ]


@pytest.mark.parametrize("body", asked("word " * (MILLIONS // 5)))
def test_a_prompt_beyond_the_context_is_refused(client: TestClient, body: dict[str, object]) -> None:
    path = "/v1/completions" if "prompt" in body else "/v1/chat/completions"
    answer = client.post(path, json={"model": "tiny-llama", **body})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "context_length_exceeded"


def test_it_is_refused_unread(base: Path) -> None:
    encoder = PromptEncoder(Unread(base), CONTEXT)  # type: ignore[arg-type]
    for text in ("x" * MILLIONS, "é" * (MILLIONS // 2)):
        ask = Ask(model="tiny-llama", messages=None, prompt=text, max_tokens=1, sampling=None)  # type: ignore[arg-type]
        with pytest.raises(ApiError) as refused:
            encoder.encode(ask)
        assert refused.value.code == "context_length_exceeded"


def test_a_text_that_may_fit_is_tokenised_as_ever(base: Path, engine: Engine) -> None:
    tokenizer = load_tokenizer(base)
    for text in ("Total: 42.", "<|user|>Who?<|end|><|assistant|>", "é\u2028\x00 ", "word " * 4000):
        ask = Ask(model="tiny-llama", messages=None, prompt=text, max_tokens=1, sampling=None)  # type: ignore[arg-type]
        assert engine.prompts.encode(ask) == tokenizer(text)["input_ids"]
        chat = [{"role": "user", "content": text}]
        ask = Ask(model="tiny-llama", messages=chat, prompt=None, max_tokens=1, sampling=None)  # type: ignore[arg-type]
        templated = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        assert engine.prompts.encode(ask) == tokenizer(templated, add_special_tokens=False)["input_ids"]


def test_others_are_answered_while_a_prompt_is_read(
    client: TestClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, read_on = threading.Event(), threading.Event()
    encode = engine.prompts.encode

    def slow(ask: Ask) -> list[int]:
        reading.set()
        assert read_on.wait(60)
        return encode(ask)

    monkeypatch.setattr(engine.prompts, "encode", slow)
    with ThreadPoolExecutor(1) as threads:
        body = {"model": "tiny-llama", "prompt": "Total: 42.", "max_tokens": 1}
        answer = threads.submit(client.post, "/v1/completions", json=body)
        assert reading.wait(60)
        assert client.get("/health").json()["status"] == "ok"
        read_on.set()
        assert answer.result(60).status_code == 200
