"""The gateway over real HTTP with the `openai` client."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import openai
import pytest
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionToolParam

from adapters.models import AdapterVersion
from lorakit.contracts import InvocationRecord
from serving.backends.vllm import VllmEndpoint
from serving.models import Endpoint
from tenants.models import Tenant
from tests.examples import examples
from tests.serving.conftest import user
from tests.serving.gateway.gateway_client import PROMPT, TOKENS, Line, new_line, put_live

pytestmark = pytest.mark.django_db(transaction=True)


def records(tmp_path: Path) -> list[InvocationRecord]:
    [file] = (tmp_path / "ledger").iterdir()
    return [InvocationRecord.from_json(line) for line in file.read_bytes().splitlines()]


@pytest.fixture
def line(
    tenant: Tenant, gateway: str, vllm: VllmEndpoint, endpoint: Endpoint, make_version: Callable[..., AdapterVersion]
) -> Line:
    """Alice's tenant with one live alias, `legal`."""
    line = new_line(tenant)
    put_live(line, vllm, endpoint, make_version(tenant, "legal", 1))
    return line


def test_a_chat_is_answered_by_the_active_version_and_recorded(gateway: str, line: Line, tmp_path: Path) -> None:
    raw = line.client(gateway).chat.completions.with_raw_response.create(
        model="legal", messages=user(PROMPT), max_tokens=TOKENS, temperature=0
    )
    answer = raw.parse()
    assert answer.model == "legal"
    assert answer.choices[0].message.content == line.answers["legal", 1]
    assert raw.headers["x-adapter-version"] == "1"
    [record] = records(tmp_path)
    assert record.request_id == raw.headers["x-request-id"]
    assert (record.tenant_id, record.key_id) == (str(line.tenant.id), str(line.key.id))
    assert (record.alias, record.status, record.streamed) == ("legal", 200, False)
    assert answer.usage is not None
    assert record.completion_tokens == answer.usage.completion_tokens > 0
    assert 0 < record.busy_ms <= record.latency_ms
    assert record.queue_ms is not None
    assert 0 <= record.queue_ms <= record.latency_ms
    assert record.endpoint == "shared"
    assert PROMPT not in record.to_json()


def test_what_the_engine_can_do_reaches_callers_through_the_gateway(gateway: str, line: Line) -> None:
    chats = line.client(gateway).chat.completions
    schema: Any = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"enum": [["a"], {"b": 1}]}}}
    held = chats.create(model="legal", messages=user(PROMPT), response_format=schema, temperature=0)
    assert json.loads(held.choices[0].message.content or "") in (["a"], {"b": 1})
    chosen = chats.create(model="legal", messages=user(PROMPT), extra_body={"choices": ["yes", "no"]})
    shares = (chosen.choices[0].model_extra or {})["choices"]
    assert {entry["text"] for entry in shares} == {"yes", "no"}
    assert chosen.choices[0].message.content == shares[0]["text"]
    several = chats.create(model="legal", messages=user(PROMPT), n=2, max_tokens=3, logprobs=True, temperature=0)
    assert len({choice.message.content for choice in several.choices}) == 1
    assert several.choices[1].logprobs is not None
    with pytest.raises(openai.BadRequestError, match="guided_json") as refused:
        chats.create(model="legal", messages=user(PROMPT), extra_body={"guided_json": {}})
    assert (refused.value.code, refused.value.param) == ("unsupported_parameter", "guided_json")


def test_tools_reach_the_engine_and_its_reason_against_them_the_caller(gateway: str, line: Line) -> None:
    """The base of the tests has no tools in its chat template."""
    tool: ChatCompletionToolParam = {"type": "function", "function": {"name": "weather"}}
    call: Any = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    turns: list[Any] = [
        *user(PROMPT),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "dry", "tool_call_id": "c1"},
    ]
    chats = line.client(gateway).chat.completions
    for asked in ({"messages": user(PROMPT), "tools": [tool]}, {"messages": turns}):
        with pytest.raises(openai.BadRequestError, match="chat template of this base model") as caught:
            chats.create(model="legal", **asked)  # type: ignore[call-overload]
        assert (caught.value.code, caught.value.param) == ("unsupported_parameter", next(reversed(asked)))
    told = chats.create(model="legal", messages=user(PROMPT), tools=[tool], tool_choice="none", max_tokens=TOKENS)
    assert told.choices[0].message.content


@pytest.mark.parametrize("wants_usage", [True, False])
def test_a_stream_is_passed_through_and_recorded_before_it_ends(
    gateway: str, line: Line, tmp_path: Path, wants_usage: bool
) -> None:
    stream = line.client(gateway).chat.completions.create(
        model="legal",
        messages=user(PROMPT),
        max_tokens=TOKENS,
        temperature=0,
        stream=True,
        stream_options={"include_usage": wants_usage},
    )
    chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == line.answers["legal", 1]
    assert {chunk.model for chunk in chunks} == {"legal"}
    assert any(chunk.usage for chunk in chunks) is wants_usage
    [record] = records(tmp_path)
    assert record.streamed
    assert record.completion_tokens > 0
    assert record.prompt_tokens > 0
    assert record.first_token_ms is not None
    assert record.first_token_ms <= record.latency_ms


def test_completions_of_plain_text(gateway: str, line: Line) -> None:
    answer = line.client(gateway).completions.create(model="legal", prompt="Total: 42", max_tokens=4, temperature=0)
    assert answer.choices[0].text
    assert answer.model == "legal"


def test_models_are_the_tenants_own_and_the_base(gateway: str, line: Line, other_tenant: Tenant) -> None:
    assert {model.id for model in line.client(gateway).models.list()} == {"legal", "tiny-llama"}
    assert {model.id for model in new_line(other_tenant).client(gateway).models.list()} == {"tiny-llama"}


def test_the_base_answers_under_its_own_name(gateway: str, line: Line, tmp_path: Path) -> None:
    raw = line.client(gateway).chat.completions.with_raw_response.create(
        model="tiny-llama", messages=user(PROMPT), max_tokens=TOKENS, temperature=0
    )
    assert raw.parse().choices[0].message.content != line.answers["legal", 1]
    assert "x-adapter-version" not in raw.headers
    [record] = records(tmp_path)
    assert (record.alias, record.version_id, record.deployment) == ("tiny-llama", None, None)


def test_an_unknown_name_is_refused_with_the_known_ones(gateway: str, line: Line, tmp_path: Path) -> None:
    with pytest.raises(openai.NotFoundError, match="Available models: legal, tiny-llama") as refused:
        line.client(gateway).chat.completions.create(model="lega1", messages=user(PROMPT))
    assert refused.value.code == "model_not_found"
    [record] = records(tmp_path)
    assert (record.alias, record.status, record.error_code) == ("", 404, "model_not_found")


def test_another_tenants_alias_is_unknown(
    gateway: str, line: Line, other_tenant: Tenant, vllm: VllmEndpoint, tmp_path: Path
) -> None:
    charlie = new_line(other_tenant).client(gateway)
    [deployment] = vllm.list()
    for name in ("legal", deployment):
        with pytest.raises(openai.NotFoundError) as refused:
            charlie.chat.completions.create(model=name, messages=user(PROMPT))
        assert "legal," not in str(refused.value)
    assert {record.tenant_id for record in records(tmp_path)} == {str(other_tenant.id)}


@hypothesis.settings(
    max_examples=examples(40), deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
@hypothesis.example("")
@hypothesis.example("Bearer")
@hypothesis.example("Bearer apk_a_b")
@hypothesis.example("Basic apk_a_b")
@hypothesis.example("Bearer apk_é_x")
@hypothesis.example("Bearer " + "x" * 9000)
@hypothesis.given(
    st.one_of(
        st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_categories=["Cc"]), max_size=80),
        st.from_regex(r"[Bb]earer apk_[A-Za-z0-9]{0,12}_[A-Za-z0-9_]{0,40}", fullmatch=True),
    )
)
def test_without_a_live_key_nothing_is_answered(gateway: str, line: Line, tmp_path: Path, header: str) -> None:
    headers = {b"authorization": header.encode("latin-1")} if header else {}
    for method, path in (("GET", "/v1/models"), ("POST", "/v1/chat/completions"), ("POST", "/v1/completions")):
        answer = httpx.request(method, gateway + path, headers=headers, trust_env=False)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "invalid_api_key"
    assert not (tmp_path / "ledger").exists()


BAD_BODIES = [
    (b"", 400, "invalid_json"),
    (b"[1]", 400, "invalid_json"),
    (b"{", 400, "invalid_json"),
    (b"[" * 100_000, 400, "invalid_json"),
    (b"\xff\xfe", 400, "invalid_json"),
    (b'{"messages": []}', 400, "missing_model"),
    (b'{"model": 7}', 400, "missing_model"),
    (b'{"model": "legal", "stream_options": 1}', 400, "invalid_value"),
    (b'{"model": "legal", "stream": "yes"}', 400, "invalid_value"),
    (b'{"model": "legal", "messages": "x"}', 400, "invalid_value"),
    (b'{"model": "legal", "messages": [{"role": "user", "content": "x"}], "max_tokens": 9999}', 400, None),
    (b" " * (6 * 2**20 + 1), 413, "body_too_large"),
]


def test_a_bad_body_is_told(gateway: str, line: Line, tmp_path: Path) -> None:
    headers = {"authorization": f"Bearer {line.token}"}
    for body, status, code in BAD_BODIES:
        answer = httpx.post(f"{gateway}/v1/chat/completions", content=body, headers=headers, trust_env=False)
        assert answer.status_code == status, body[:80]
        error = answer.json()["error"]
        assert error["message"]
        assert code is None or error["code"] == code, body[:80]
        assert str(line.tenant.id.hex[:20]) not in answer.text
    assert [record.status for record in records(tmp_path)] == [status for _, status, _ in BAD_BODIES]


def test_another_address_is_told_in_the_same_shape(gateway: str) -> None:
    for method, path, status in (("GET", "/", 404), ("GET", "/v1/chat/completions", 405), ("GET", "/v1/../x", 404)):
        answer = httpx.request(method, gateway + path, trust_env=False)
        assert answer.status_code == status
        assert answer.json()["error"]["code"] == "no_such_endpoint"


def test_health_needs_no_key(gateway: str) -> None:
    assert httpx.get(f"{gateway}/health", trust_env=False).json() == {"status": "ok"}
