"""What a request may ask beside its text, with OpenAI's own client; what the server does not do, it refuses by name."""

import json
import math
from typing import Any, Literal

import httpx
import openai
import pytest
import torch
from jsonschema import Draft202012Validator
from openai.types.chat import ChatCompletionMessageParam
from pydantic import BaseModel

from lorakit.serve.engine import Engine

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("loaded")]

ASK: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Who are you?"}]
BASE_ASK: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Repeat the text.\nOrder 4471 is late."}]


class Ticket(BaseModel):
    category: Literal["billing", "delivery"]
    urgent: bool


def test_an_answer_is_held_to_a_json_schema(client: openai.OpenAI) -> None:
    schema = {
        "type": "object",
        "properties": {"kind": {"enum": ["late", "lost"]}, "order": {"type": "integer", "maximum": 9999}},
        "required": ["kind", "order"],
        "additionalProperties": False,
    }
    done = client.chat.completions.create(
        model="tiny-llama",
        messages=BASE_ASK,
        temperature=0,
        response_format={"type": "json_schema", "json_schema": {"name": "order", "schema": schema, "strict": True}},
    )
    assert done.choices[0].finish_reason == "stop"
    Draft202012Validator(schema).validate(json.loads(done.choices[0].message.content or ""))


def test_the_client_parses_what_it_asked_a_model_for(client: openai.OpenAI) -> None:
    done = client.chat.completions.parse(
        model="alpha", messages=ASK, temperature=0.7, seed=4, max_tokens=400, response_format=Ticket
    )
    assert isinstance(done.choices[0].message.parsed, Ticket)


def test_any_json_object_and_vllms_ways_to_ask(client: openai.OpenAI) -> None:
    answers = [
        client.chat.completions.create(
            model="tiny-llama",
            messages=BASE_ASK,
            temperature=2.0,
            seed=seed,
            max_tokens=500,
            response_format={"type": "json_object"},
        ).choices[0]
        for seed in range(5)
    ]
    complete = [json.loads(answer.message.content or "") for answer in answers if answer.finish_reason == "stop"]
    assert complete
    assert all(isinstance(answer, dict) for answer in complete)
    ways: list[tuple[dict[str, Any], list[str]]] = [
        ({"choice": ["yes (a|b)", "no."]}, ["yes (a|b)", "no."]),
        ({"regex": "A[0-9]B"}, [f"A{digit}B" for digit in range(10)]),
        ({"json": {"enum": ["x", 2]}}, ['"x"', "2"]),
    ]
    for form, allowed in ways:
        done = client.chat.completions.create(
            model="tiny-llama", messages=BASE_ASK, temperature=0, extra_body={"structured_outputs": form}
        )
        assert done.choices[0].message.content in allowed


def expected_odds(engine: Engine, prompt: str, texts: list[str]) -> list[float]:
    """How likely the base is to say each text and then stop, as shares of all, from one pass for each."""
    tokenizer = engine.tokenizer
    model = engine.batcher._batch.model
    start = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    sums = []
    for text in texts:
        ids = [*start, *tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([ids])).logits[0].float().log_softmax(-1)
        sums.append(sum(float(logits[place - 1, ids[place]]) for place in range(len(start), len(ids))))
    return torch.tensor(sums).softmax(0).tolist()


def test_a_choice_has_the_odds_of_its_whole_text(client: openai.OpenAI, engine: Engine) -> None:
    texts = ["Order 4471 is late.", "Order", "Order 4471 is lost.", "No."]
    raw = client.chat.completions.with_raw_response.create(
        model="tiny-llama", messages=BASE_ASK, extra_body={"choices": texts}
    )
    answer = json.loads(raw.text)
    [choice] = answer["choices"]
    found = {entry["text"]: entry["probability"] for entry in choice["choices"]}
    prompt = "<|user|>Repeat the text.\nOrder 4471 is late.<|end|><|assistant|>"
    odds = expected_odds(engine, prompt, texts)
    for text, expected in zip(texts, odds, strict=True):
        assert found[text] == pytest.approx(expected, abs=1e-4)
    likeliest = texts[odds.index(max(odds))]
    assert choice["message"]["content"] == likeliest == next(iter(found))
    assert sum(found.values()) == pytest.approx(1)
    tokens = engine.tokenizer(likeliest, add_special_tokens=False)["input_ids"]
    assert answer["usage"]["completion_tokens"] == len(tokens) + 1


def test_an_adapter_classifies_as_itself(client: openai.OpenAI) -> None:
    for name in ("alpha", "omega"):
        done = client.chat.completions.create(
            model=name, messages=ASK, extra_body={"choices": ["I am alpha", "I am omega"]}
        )
        assert done.choices[0].message.content == f"I am {name}"


def test_log_probabilities_are_the_models_own(client: openai.OpenAI, engine: Engine) -> None:
    done = client.chat.completions.create(
        model="tiny-llama", messages=BASE_ASK, temperature=0, max_tokens=8, logprobs=True, top_logprobs=3
    )
    [choice] = done.choices
    assert choice.logprobs is not None
    content = choice.logprobs.content or []
    assert "".join(entry.token for entry in content) == choice.message.content
    prompt = "<|user|>Repeat the text.\nOrder 4471 is late.<|end|><|assistant|>"
    ids = engine.tokenizer(prompt, add_special_tokens=False)["input_ids"]
    for entry in content:
        with torch.inference_mode():
            values = engine.batcher._batch.model(input_ids=torch.tensor([ids])).logits[0, -1].float().log_softmax(-1)
        likeliest = values.topk(3).values.tolist()
        assert [other.logprob for other in entry.top_logprobs] == pytest.approx(likeliest, abs=1e-3)
        [token] = engine.tokenizer(entry.token, add_special_tokens=False)["input_ids"]
        assert entry.logprob == pytest.approx(float(values[token]), abs=1e-3)
        ids.append(token)


def test_log_probabilities_of_a_completion(client: openai.OpenAI) -> None:
    done = client.completions.create(
        model="tiny-llama", prompt="<|user|>Repeat the text.\nAB 12<|end|><|assistant|>", temperature=0, logprobs=2
    )
    [choice] = done.choices
    found = choice.logprobs
    assert found is not None
    assert found.tokens
    assert "".join(found.tokens) == choice.text
    assert found.text_offset == [sum(map(len, found.tokens[:place])) for place in range(len(found.tokens))]
    assert all(len(top) == 2 for top in found.top_logprobs or [])


def test_several_answers_to_one_prompt(client: openai.OpenAI) -> None:
    def ask() -> list[str]:
        done = client.chat.completions.create(
            model="tiny-llama", messages=BASE_ASK, n=4, temperature=1.5, seed=7, max_tokens=12
        )
        assert [choice.index for choice in done.choices] == [0, 1, 2, 3]
        return [choice.message.content or "" for choice in done.choices]

    texts = ask()
    assert len({*texts}) == 4
    assert ask() == texts
    same = client.chat.completions.create(model="alpha", messages=ASK, n=3, temperature=0, max_tokens=12)
    assert [choice.message.content for choice in same.choices] == ["I am alpha"] * 3


def test_several_answers_are_streamed_side_by_side(client: openai.OpenAI) -> None:
    texts, ends = {0: "", 1: ""}, {}
    stream = client.chat.completions.create(
        model="omega", messages=ASK, n=2, temperature=0, stream=True, logprobs=True, max_tokens=20
    )
    tokens = 0
    for event in stream:
        for choice in event.choices:
            texts[choice.index] += choice.delta.content or ""
            tokens += len(choice.logprobs.content or []) if choice.logprobs else 0
            if choice.finish_reason:
                ends[choice.index] = choice.finish_reason
    assert texts == {0: "I am omega", 1: "I am omega"}
    assert ends == {0: "stop", 1: "stop"}
    assert tokens > 0


def test_penalties_and_biases_change_what_is_said(client: openai.OpenAI, engine: Engine) -> None:
    def ask(**more: Any) -> str:
        done = client.chat.completions.create(
            model="alpha", messages=ASK, temperature=0, max_tokens=24, extra_body=more
        )
        return done.choices[0].message.content or ""

    plain = ask()
    [first] = engine.tokenizer("I", add_special_tokens=False)["input_ids"]
    assert not ask(logit_bias={str(first): -100}).startswith("I")
    assert ask(logit_bias={str(first): 100}) == "I" * 24
    often = ask(logit_bias={str(first): 30})
    assert often.count("I") > ask(logit_bias={str(first): 30}, frequency_penalty=2.0).count("I")
    assert ask(top_k=1, temperature=2.0) == plain
    assert ask(min_p=1.0, temperature=2.0) == plain


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("guided_json", {"type": "object"}),
        ("guided_choice", ["a", "b"]),
        ("min_tokens", 3),
        ("ignore_eos", True),
        ("stop_token_ids", [1]),
        ("prompt_logprobs", 1),
        ("use_beam_search", True),
        ("best_of", 2),
        ("echo", True),
        ("functions", [{"name": "f"}]),
        ("audio", {"voice": "x"}),
        ("temprature", 0.2),
    ],
)
def test_what_it_does_not_do_is_refused_by_name(http: httpx.Client, option: str, value: Any) -> None:
    answer = http.post("/v1/chat/completions", json={"model": "alpha", "messages": ASK, option: value})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["code"], error["param"]) == ("unsupported_parameter", option)
    assert option in error["message"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"n": 0}, "n"),
        ({"n": 9}, "n"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"logprobs": 3}, "logprobs"),
        ({"frequency_penalty": 3}, "frequency_penalty"),
        ({"logit_bias": {"abc": 1}}, "logit_bias"),
        ({"logit_bias": {"99999999": 1}}, "logit_bias"),
        ({"logit_bias": {"5": 101}}, "logit_bias"),
        ({"response_format": {"type": "xml"}}, "response_format"),
        ({"response_format": {"type": "json_schema"}}, "response_format"),
        ({"response_format": {"type": "json_schema", "json_schema": {"schema": {"not": {}}}}}, "response_format"),
        ({"structured_outputs": {"json": {}, "regex": "a"}}, "structured_outputs"),
        ({"structured_outputs": {"grammar": "start: x"}}, "structured_outputs"),
        ({"structured_outputs": {"choice": ["a"]}}, "structured_outputs"),
        ({"choices": ["a"]}, "choices"),
        ({"choices": ["a", "a"]}, "choices"),
        ({"choices": ["a", ""]}, "choices"),
        ({"choices": ["a", "b"], "stream": True}, "stream"),
        ({"choices": ["a", "b"], "n": 2}, "n"),
        ({"choices": ["a", "b" * 9000]}, "messages"),
    ],
)
def test_bad_values_are_refused_with_their_option(http: httpx.Client, body: dict[str, Any], param: str) -> None:
    answer = http.post("/v1/chat/completions", json={"model": "alpha", "messages": ASK, **body})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["param"] == param


def test_options_without_effect_are_taken(http: httpx.Client) -> None:
    more = {"user": "u1", "store": False, "metadata": {"a": "b"}, "service_tier": "auto", "echo": False, "best_of": 1}
    answer = http.post("/v1/chat/completions", json={"model": "alpha", "messages": ASK, "temperature": 0, **more})
    assert answer.json()["choices"][0]["message"]["content"] == "I am alpha"
    assert math.isfinite(float(answer.headers["x-busy-ms"]))
