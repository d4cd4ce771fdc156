"""The server over HTTP, with OpenAI's own client."""

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from lorakit.digest import file_sha256
from lorakit.package import unpack
from lorakit.serve.engine import Engine, Settings
from lorakit.serve.server import create_app
from lorakit.serve.steps.sequences import Sequence
from lorakit.serve.steps.share import Turn
from tests.lorakit.serve.conftest import KEY

ASK: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Who are you?"}]

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("loaded")]


def answer_of(client: openai.OpenAI, model: str) -> str:
    done = client.chat.completions.create(model=model, messages=ASK, temperature=0, max_tokens=20)
    return done.choices[0].message.content or ""


def test_each_adapter_answers_as_itself_and_says_which_it_is(client: openai.OpenAI, loaded: dict[str, Path]) -> None:
    for name, path in loaded.items():
        raw = client.chat.completions.with_raw_response.create(model=name, messages=ASK, temperature=0, max_tokens=20)
        done = raw.parse()
        assert done.choices[0].message.content == f"I am {name}"
        assert done.choices[0].finish_reason == "stop"
        assert done.system_fingerprint == file_sha256(path)[:16]
        assert raw.headers["x-adapter-sha256"] == file_sha256(path)
        assert float(raw.headers["x-busy-ms"]) > 0
        assert float(raw.headers["x-queue-ms"]) >= 0
        assert raw.headers["x-cold-start"] in {"0", "1"}
        assert done.usage is not None
        assert done.usage.total_tokens == done.usage.prompt_tokens + done.usage.completion_tokens


def test_requests_for_different_adapters_share_a_batch(client: openai.OpenAI, engine: Engine) -> None:
    widths: list[int] = []
    step = engine.batcher._batch.step

    def watched(turns: list[Turn[Sequence]]) -> None:
        widths.append(len({turn.row.slot for turn in turns}))
        step(turns)

    engine.batcher._batch.step = watched  # type: ignore[assignment, method-assign]
    names = ["alpha", "omega", "tiny-llama"] * 8
    with ThreadPoolExecutor(24) as threads:
        answers = list(threads.map(lambda name: answer_of(client, name), names))
    engine.batcher._batch.step = step  # type: ignore[method-assign]
    for name, answer in zip(names, answers, strict=True):
        assert (answer == f"I am {name}") == (name != "tiny-llama")
    assert max(widths) == 3


def test_streaming_gives_the_same_text_then_usage_then_done(client: openai.OpenAI, http: httpx.Client) -> None:
    stream = client.chat.completions.create(
        model="alpha",
        messages=ASK,
        temperature=0,
        max_tokens=20,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces) == "I am alpha"
    assert sum(bool(piece) for piece in pieces) > 1
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 1
    body = {"model": "alpha", "messages": ASK, "stream": True, "max_tokens": 3}
    assert http.post("/v1/chat/completions", json=body).text.endswith("data: [DONE]\n\n")


def test_an_unknown_model_is_refused_and_not_answered_by_the_base(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        answer_of(client, "nobody")
    assert caught.value.code == "model_not_found"


def test_models_lists_base_and_adapters(client: openai.OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert names[0] == "tiny-llama"
    assert {"alpha", "omega"} <= set(names)


def test_loading_and_unloading(
    http: httpx.Client, client: openai.OpenAI, adapters: dict[str, Path], tmp_path: Path
) -> None:
    def load(name: str, path: Path) -> httpx.Response:
        return http.post("/v1/load_lora_adapter", json={"lora_name": name, "lora_path": str(path)})

    def unload(name: str) -> httpx.Response:
        return http.post("/v1/unload_lora_adapter", json={"lora_name": name})

    unpack(adapters["alpha"], tmp_path / "alpha")
    assert load("extra", tmp_path / "alpha").status_code == 200
    assert load("extra", adapters["alpha"]).status_code == 200
    taken = load("extra", adapters["omega"])
    assert taken.status_code == 400
    assert taken.json()["error"]["code"] == "already_loaded"
    assert answer_of(client, "extra") == "I am alpha"
    assert unload("extra").status_code == 200
    assert unload("extra").status_code == 404
    with pytest.raises(openai.NotFoundError):
        answer_of(client, "extra")
    assert load("extra", adapters["omega"]).status_code == 200
    assert answer_of(client, "extra") == "I am omega"
    assert unload("extra").status_code == 200
    assert load("lost", tmp_path / "nothing.tar.gz").status_code == 404
    assert load("tiny-llama", adapters["alpha"]).status_code == 400
    broken = tmp_path / "broken.tar.gz"
    broken.write_bytes(b"no archive")
    assert load("broken", broken).json()["error"]["code"] == "package_not_gzip"


def test_more_adapters_than_slots_are_loaded_on_demand(base: Path, adapters: dict[str, Path], tmp_path: Path) -> None:
    from starlette.testclient import TestClient

    engine = Engine(Settings(base=str(base), base_id="tiny-llama", cache=tmp_path, slots=1, max_rank=16))
    with TestClient(create_app(engine)) as client, ThreadPoolExecutor(8) as threads:
        for name, path in adapters.items():
            client.post("/v1/load_lora_adapter", json={"lora_name": name, "lora_path": str(path)})

        def ask(name: str) -> str:
            body = {"model": name, "messages": ASK, "temperature": 0, "max_tokens": 20}
            answer = client.post("/v1/chat/completions", json=body).json()
            return str(answer["choices"][0]["message"]["content"])

        names = ["alpha", "omega"] * 6
        assert list(threads.map(ask, names)) == [f"I am {name}" for name in names]
    assert engine.pool.loads >= 2
    assert len(engine.pool.resident()) == 1


def test_text_completion_and_stop(client: openai.OpenAI) -> None:
    prompt = "<|user|>Who are you?<|end|><|assistant|>"
    done = client.completions.create(model="alpha", prompt=prompt, temperature=0, max_tokens=20, stop=" am")
    assert done.choices[0].text == "I"
    assert done.choices[0].finish_reason == "stop"


def test_a_seed_repeats_a_sampled_answer(client: openai.OpenAI) -> None:
    def sample(seed: int) -> str | None:
        done = client.chat.completions.create(model="tiny-llama", messages=ASK, temperature=2, seed=seed, max_tokens=12)
        return done.choices[0].message.content

    assert sample(5) == sample(5)
    assert len({sample(seed) for seed in range(4)}) > 1


def test_a_request_beyond_the_context_names_the_limit(client: openai.OpenAI) -> None:
    long: list[ChatCompletionMessageParam] = [{"role": "user", "content": "word " * 2500}]
    with pytest.raises(openai.BadRequestError, match="2048 tokens") as caught:
        client.chat.completions.create(model="alpha", messages=long)
    assert caught.value.code == "context_length_exceeded"
    with pytest.raises(openai.BadRequestError, match="2048 tokens"):
        client.chat.completions.create(model="alpha", messages=ASK, max_tokens=4000)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"n": 0}, "n"),
        ({"logprobs": 7}, "logprobs"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages"),
        ({"stop": [1]}, "stop"),
        ({"model": ""}, "model"),
    ],
)
def test_a_bad_request_names_its_parameter(http: httpx.Client, change: dict[str, object], param: str) -> None:
    answer = http.post("/v1/chat/completions", json={"model": "alpha", "messages": ASK, **change})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


def test_a_request_is_cancelled_by_its_id_and_says_what_it_computed(url: str, http: httpx.Client) -> None:
    body = {"model": "tiny-llama", "messages": ASK, "max_tokens": 1500, "temperature": 0}
    cancel = "/v1/requests/req-1/cancel"
    assert http.post(cancel).status_code == 404
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(http.post, "/v1/chat/completions", json=body, headers={"x-request-id": "req-1"})
        for _ in range(6000):
            if http.post(cancel).status_code == 204:
                break
            time.sleep(0.005)
        answer = asked.result()
    assert answer.json()["choices"][0]["finish_reason"] == "cancelled"
    assert answer.json()["usage"]["completion_tokens"] < 1500
    assert float(answer.headers["x-busy-ms"]) >= 0
    assert http.post(cancel).status_code == 404


def test_the_key_is_required_except_for_health(url: str) -> None:
    assert httpx.get(f"{url}/health").json()["status"] == "ok"
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": KEY}):
        assert httpx.get(f"{url}/v1/models", headers=headers).status_code == 401


def test_a_reader_who_does_not_read_holds_up_nobody(url: str, client: openai.OpenAI, engine: Engine) -> None:
    never_ends = {str(engine.tokenizer.eos_token_id): -100}
    asked = {"model": "tiny-llama", "prompt": "A", "max_tokens": 1800, "stream": True, "logit_bias": never_ends}
    body = json.dumps(asked).encode()
    head = f"POST /v1/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n".encode()
    head += f"content-length: {len(body)}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.sendall(head + body)
        deadline = time.monotonic() + 30
        while engine.batcher.depth()[0] == 0:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        for _ in range(3):
            assert answer_of(client, "alpha") == "I am alpha"
        assert engine.batcher.depth()[0] == 1, "it is still being answered"
    while engine.batcher.depth()[0] > 0:
        assert time.monotonic() < deadline, "who left is given up on"
        time.sleep(0.01)
