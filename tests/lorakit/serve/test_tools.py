"""Tools, calls and tool messages in chat requests: rendered as in training, or refused with the reason."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from starlette.testclient import TestClient

from lorakit.rows import parse_row
from lorakit.serve.engine import Engine, Settings
from lorakit.serve.requests.errors import ApiError
from lorakit.serve.requests.prompts import PromptEncoder
from lorakit.serve.requests.protocol import parse_ask
from lorakit.serve.server import create_app
from lorakit.train.examples import RowEncoder
from tests.lorakit.chat_templates import CHATML, FORGETFUL, TOOLS, tokenizer_with

WEATHER = {
    "type": "function",
    "function": {"name": "weather", "description": "Of a city.", "parameters": {"type": "object"}},
}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome", "days": 2}'}}
ASKED = {"role": "user", "content": "Rain in Rome?"}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
TOLD = {"role": "tool", "content": "dry", "tool_call_id": "c1"}


def prompt(base: Path, template: str, messages: list[Any], **more: Any) -> str:
    """The text that the model reads."""
    tokenizer = tokenizer_with(base, template)
    ask = parse_ask(json.dumps({"model": "m", "messages": messages, **more}).encode(), chat=True, vocabulary=1024)
    return str(tokenizer.decode(PromptEncoder(tokenizer, 4096).encode(ask)))


def refusal(messages: Any, *, chat: bool = True, **more: Any) -> ApiError:
    asked = {"messages": messages} if chat else {"prompt": "x"}
    with pytest.raises(ApiError) as caught:
        parse_ask(json.dumps({"model": "m", **asked, **more}).encode(), chat=chat, vocabulary=1024)
    assert caught.value.status == 400
    return caught.value


def test_a_prompt_is_what_a_training_row_has_before_its_answer(base: Path) -> None:
    tokenizer = tokenizer_with(base, TOOLS)
    arguments = {"city": "Rome", "days": 2}
    trained = parse_row(
        {
            "messages": [
                ASKED,
                {
                    "role": "assistant",
                    "content": "",
                    "tool_calls": [CALL | {"function": {"name": "weather", "arguments": arguments}}],
                },
                TOLD,
                {"role": "assistant", "content": "It stays dry."},
            ],
            "tools": [WEATHER],
        },
        "1",
    )
    [example] = RowEncoder(tokenizer, "last_answer").encode(trained)
    text = str(tokenizer.decode(example.input_ids))
    asked = prompt(base, TOOLS, [ASKED, CALLING, TOLD], tools=[WEATHER])
    assert text == f"{asked}It stays dry.<|im_end|>\n"
    assert "[call] weather city=Rome days=2" in asked
    assert '"description": "Of a city."' in asked


def test_arguments_may_be_an_object_and_texts_may_come_in_parts(base: Path) -> None:
    plain = prompt(base, TOOLS, [ASKED, CALLING, TOLD])
    call = CALL | {"function": {"name": "weather", "arguments": {"city": "Rome", "days": 2}}}
    parts = [{"type": "text", "text": "dr"}, {"type": "text", "text": "y"}]
    same = [ASKED, CALLING | {"content": "", "tool_calls": [call]}, TOLD | {"content": parts}]
    assert prompt(base, TOOLS, same) == plain


def test_calls_without_ids_are_answered_without_ids(base: Path) -> None:
    call = {"type": "function", "function": {"name": "weather", "arguments": ""}}
    messages = [ASKED, CALLING | {"tool_calls": [call]}, {"role": "tool", "content": "dry"}]
    assert "[call] weather" in prompt(base, TOOLS, messages)


def test_no_tools_are_told_where_none_may_be_called(base: Path) -> None:
    assert "Tools:" in prompt(base, TOOLS, [ASKED], tools=[WEATHER], tool_choice="auto")
    assert "Tools:" not in prompt(base, TOOLS, [ASKED], tools=[WEATHER], tool_choice="none")
    assert "Tools:" not in prompt(base, TOOLS, [ASKED], tools=[])
    assert prompt(base, CHATML, [ASKED], tools=[WEATHER], tool_choice="none") == prompt(base, CHATML, [ASKED])


def test_names_and_reasoning_reach_the_template(base: Path) -> None:
    named = CHATML.replace("message['role'] +", "message['role'] + (message.name or '') +")
    assert "user ann\nRain" in prompt(base, named, [ASKED | {"name": " ann"}])
    thinking = [ASKED, {"role": "assistant", "content": "Yes.", "reasoning_content": "Hm."}]
    assert "<think>Hm.</think>Yes." in prompt(base, FORGETFUL, thinking)
    # A template that has no place for it leaves it out, as most do with earlier turns.
    assert "Hm." not in prompt(base, CHATML, thinking)


@pytest.mark.parametrize(
    ("messages", "more", "param"),
    [
        ([ASKED], {"tools": [WEATHER]}, "tools"),
        ([ASKED, CALLING, TOLD], {"tools": [WEATHER]}, "tools"),
        ([ASKED, CALLING, TOLD], {}, "messages"),
    ],
)
def test_a_template_without_tools_refuses_them_with_the_reason(
    base: Path, messages: list[Any], more: dict[str, Any], param: str
) -> None:
    with pytest.raises(ApiError, match="chat template of this base model does not read tool") as caught:
        prompt(base, CHATML, messages, **more)
    assert (caught.value.status, caught.value.code, caught.value.param) == (400, "unsupported_parameter", param)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("weather", "a call of message 2"),
        ({}, "a call of message 2"),
        ({"function": {"name": "a b", "arguments": "{}"}}, "name of its function"),
        ({"function": {"name": "f" * 65, "arguments": "{}"}}, "name of its function"),
        ({"type": "custom", "function": {"name": "f", "arguments": "{}"}}, "the type function"),
        ({"function": {"name": "f"}}, "JSON object"),
        ({"function": {"name": "f", "arguments": "[1]"}}, "JSON object"),
        ({"function": {"name": "f", "arguments": "{"}}, "JSON object"),
        ({"function": {"name": "f", "arguments": '{"a": NaN}'}}, "JSON object"),
        ({"function": {"name": "f", "arguments": '{"a":' * 99 + "1" + "}" * 99}}, "JSON object"),
        ({"id": 7, "function": {"name": "f", "arguments": "{}"}}, "the ID"),
    ],
)
def test_a_malformed_call_is_refused(call: Any, text: str) -> None:
    error = refusal([ASKED, {"role": "assistant", "content": None, "tool_calls": [call]}])
    assert text in error.text
    assert error.param == "messages"


@pytest.mark.parametrize(
    "messages",
    [
        [ASKED, TOLD],
        [ASKED, CALLING, TOLD | {"tool_call_id": "c2"}],
        [ASKED, CALLING, {"role": "tool", "content": "dry"}],
        [ASKED, CALLING, TOLD | {"tool_call_id": 7}],
        [ASKED, CALLING, TOLD | {"content": None}],
        [ASKED, TOLD, CALLING],
        [ASKED, {"role": "function", "content": "dry", "name": "weather"}],
        [ASKED, {"role": "assistant", "content": None}],
        [ASKED, {"role": "assistant", "content": 7, "tool_calls": [CALL]}],
        [ASKED, {"role": "assistant", "content": None, "tool_calls": [CALL] * 129}],
        [ASKED, {"role": "assistant", "content": None, "tool_calls": CALL}],
        [ASKED | {"name": 7}],
    ],
)
def test_messages_that_do_not_fit_together_are_refused(messages: list[Any]) -> None:
    assert refusal(messages).param == "messages"


@pytest.mark.parametrize(
    "tools",
    [
        {"a": 1}, "weather", [7], [{}], [{"type": "function"}], [{"type": "custom", "custom": {"name": "f"}}],
        [{"type": "function", "function": {"name": ""}}], [{"type": "function", "function": {"name": "a b"}}],
        [{"type": "function", "function": {"name": "f", "parameters": []}}, {}],
        [{"type": "function", "function": {"name": "f", "description": 7}}], [WEATHER] * 129,
    ],
)  # fmt: skip
def test_malformed_tools_are_refused(tools: Any) -> None:
    assert refusal([ASKED], tools=tools).param == "tools"


def test_a_forced_call_and_tools_of_a_completion_are_refused() -> None:
    forced = {"type": "function", "function": {"name": "weather"}}
    for choice in ("required", forced):
        error = refusal([ASKED], tools=[WEATHER], tool_choice=choice)
        assert (error.code, error.param) == ("unsupported_parameter", "tool_choice")
    assert refusal([ASKED], chat=False, tools=[WEATHER]).param == "tools"


@pytest.mark.parametrize(
    "big",
    [
        lambda text: {"messages": [ASKED], "tools": [WEATHER | {"function": {"name": "f", "description": text}}]},
        lambda text: {"messages": [ASKED, CALLING | {"tool_calls": [_with(text)]}]},
    ],
)
def test_tools_count_towards_the_length_of_a_prompt(base: Path, big: Callable[[str], dict[str, Any]]) -> None:
    body = big("word " * 700_000)
    messages = body.pop("messages")
    with pytest.raises(ApiError, match="cannot fit") as caught:
        prompt(base, TOOLS, messages, **body)
    assert caught.value.code == "context_length_exceeded"


def _with(text: str) -> dict[str, Any]:
    return CALL | {"function": {"name": "weather", "arguments": json.dumps({"city": text})}}


@pytest.fixture(scope="module")
def client(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    """OpenAI's own client of an engine whose base has tools in its chat template."""
    folder = tmp_path_factory.mktemp("base")
    shutil.copytree(base, folder, dirs_exist_ok=True)
    (folder / "chat_template.jinja").write_text(TOOLS)
    cache = tmp_path_factory.mktemp("cache")
    engine = Engine(Settings(base=str(folder), base_id="tiny-llama", cache=cache, slots=1, max_rank=4))
    with TestClient(create_app(engine), base_url="http://engine") as http:
        yield openai.OpenAI(base_url="http://engine/v1", api_key="none", max_retries=0, http_client=http)


@pytest.mark.slow
def test_the_openai_client_goes_through_a_call_and_its_answer(client: openai.OpenAI) -> None:
    messages: list[Any] = [ASKED]
    tools: list[Any] = [WEATHER]
    plain = client.chat.completions.create(model="tiny-llama", messages=messages, max_tokens=4)
    told = client.chat.completions.create(
        model="tiny-llama", messages=messages, tools=tools, tool_choice="auto", parallel_tool_calls=False, max_tokens=4
    )
    assert told.usage is not None
    assert plain.usage is not None
    assert told.usage.prompt_tokens > plain.usage.prompt_tokens
    called = openai.types.chat.ChatCompletionMessage.model_validate(CALLING)
    messages += [called.model_dump(exclude_none=True), TOLD]
    done = client.chat.completions.create(model="tiny-llama", messages=messages, tools=tools, max_tokens=4)
    # The answer stays text, whatever was asked.
    assert isinstance(done.choices[0].message.content, str)
    assert done.choices[0].message.tool_calls is None
    pieces = list(client.chat.completions.create(
        model="tiny-llama", messages=messages, tools=tools, max_tokens=4, stream=True
    ))  # fmt: skip
    assert pieces[-1].choices[0].finish_reason in ("stop", "length")
    with pytest.raises(openai.BadRequestError, match="tool_choice"):
        client.chat.completions.create(model="tiny-llama", messages=messages, tools=tools, tool_choice="required")
