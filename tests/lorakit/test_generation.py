"""Generation in a run directory answers as the server does."""

import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from lorakit.contracts import MetricEvent, decode_event
from lorakit.errors import RunCancelled, RunError
from lorakit.generate.generation import generate
from lorakit.generate.prompts import encode_prompts
from lorakit.rows import ChatRow
from lorakit.serve.engine import Engine, Settings
from lorakit.serve.server import create_app
from tests.lorakit.chat_templates import CHATML, TOOLS, tokenizer_with
from tests.lorakit.generation_runs import QUESTIONS, predictions, prepare

pytestmark = pytest.mark.slow


def test_answers_equal_the_servers(base: Path, adapters: dict[str, Path], tmp_path: Path) -> None:
    run = prepare(tmp_path, base, {"adapter": adapters["alpha"]}, batch_size=2)
    final = generate(run)
    found = {(p.target, p.id): (p.text, p.completion_tokens) for p in predictions(run.output)}
    assert found["adapter", "q0"][0] == "I am alpha"
    assert found["base", "q0"][0] != "I am alpha"
    assert final["rows"] == 3.0

    cache = tmp_path / "cache"
    cache.mkdir()
    engine = Engine(Settings(base=str(base), base_id="tiny-llama", cache=cache))
    engine.registry.load("alpha", adapters["alpha"])
    with TestClient(create_app(engine)) as client:
        for (target, id_), (text, tokens) in found.items():
            body = {
                "model": "alpha" if target == "adapter" else "tiny-llama",
                "messages": [{"role": "user", "content": QUESTIONS[int(id_[1:])]}],
                "temperature": 0,
                "max_tokens": 24,
            }
            answer = client.post("/v1/chat/completions", json=body).json()
            assert answer["choices"][0]["message"]["content"] == text
            assert answer["usage"]["completion_tokens"] == tokens


def test_progress_ends_at_all(base: Path, tmp_path: Path) -> None:
    run = prepare(tmp_path, base, targets=("base",))
    generate(run)
    events = [decode_event(line) for line in (tmp_path / "progress.jsonl").read_text().splitlines()]
    last = [event for event in events if isinstance(event, MetricEvent)][-1]
    assert (last.step, last.total, last.fraction) == (3, 3, 1.0)
    assert [prediction.target for prediction in predictions(run.output)] == ["base"] * 3


def test_a_prompt_without_room_gets_an_empty_answer_and_a_message(base: Path, tmp_path: Path) -> None:
    run = prepare(tmp_path, base, targets=("base",))
    path = run.input("prompts", "rows.jsonl")
    long = [{"role": "user", "content": "word " * 2500}, {"role": "assistant", "content": "?"}]
    path.write_text(path.read_text() + json.dumps({"id": "long", "messages": long}) + "\n")
    generate(run)
    last = predictions(run.output)[-1]
    assert (last.id, last.text, last.completion_tokens) == ("long", "", 0)
    assert (last.finish, last.log_probability, last.seconds) == ("length", None, 0.0)
    assert last.prompt_tokens > 2048
    assert "1 prompts fill the model's context" in (tmp_path / "progress.jsonl").read_text()


def test_a_missing_adapter_and_missing_prompts_are_named(base: Path, tmp_path: Path) -> None:
    run = prepare(tmp_path, base)
    with pytest.raises(RunError) as caught:
        generate(run)
    assert caught.value.code == "generation:no_adapter"
    assert "There is no adapter adapter" in caught.value.text
    run.input("prompts", "rows.jsonl").unlink()
    with pytest.raises(RunError) as caught:
        generate(run)
    assert caught.value.code == "generation:no_rows"


def test_cancelling_stops_between_steps(base: Path, tmp_path: Path) -> None:
    run = prepare(tmp_path, base, targets=("base",))
    run.request_stop()
    with pytest.raises(RunCancelled) as caught:
        generate(run)
    assert caught.value.code == "generation:cancelled"
    assert not (run.output / "predictions.jsonl").exists()


def test_a_prompt_has_tools_and_everything_of_its_turns(base: Path) -> None:
    tokenizer = tokenizer_with(base, TOOLS)
    tools = [{"type": "function", "function": {"name": "weather"}}]
    call = {"type": "function", "function": {"name": "weather", "arguments": {"city": "Rome"}}}
    asked = {"role": "user", "content": "Rain?"}
    calling = {"role": "assistant", "content": "", "tool_calls": [call]}
    row = ChatRow("1", [asked, calling, {"role": "tool", "content": "dry"}, calling], tools)
    [ids] = encode_prompts(tokenizer, [row])
    text = str(tokenizer.decode(ids))
    for words in ('"name": "weather"', "[call] weather city=Rome", "tool result\ndry"):
        assert words in text
    assert text.endswith("<|im_start|>assistant\n")
    with pytest.raises(RunError) as caught:
        encode_prompts(tokenizer_with(base, CHATML), [row])
    assert caught.value.code == "generation:template_without_tools"
