"""Held-out rows with tools: the calls are the expected answer, and every page shows the turns."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse

from adapters.models import AdapterVersion
from evaluations.models import EvaluationItem, EvaluationRun, RoundItem
from evaluations.runs.queries import known_answers
from evaluations.runs.services import start_evaluation
from evaluations.runs.stages.generation import generation_spec
from evaluations.runs.stages.rows import store_rows
from lorakit.rows import parse_row
from serving.playground.queries import example_items, example_named
from storage.objects import object_key
from tenants.models import Tenant, User
from tests.evaluations.conftest import lines, row
from tests.evaluations.reviews.rounds import hand_out, start

TOOLS = [{"type": "function", "function": {"name": "find_box", "parameters": {"type": "object"}}}]


def call(box: int) -> dict[str, Any]:
    return {"id": "1", "type": "function", "function": {"name": "find_box", "arguments": {"box": box}}}


CALLED = '{"name": "find_box", "arguments": {"box": 8}}'
ROWS: list[dict[str, Any]] = [
    {
        "id": f"{1:032x}",
        "tools": TOOLS,
        "messages": [
            {"role": "user", "content": "Where are boxes 7 and 8?"},
            {"role": "assistant", "content": "", "tool_calls": [call(7)], "weight": 0, "reasoning_content": "Hm."},
            {"role": "tool", "content": "on shelf <3>", "tool_call_id": "1", "name": "find_box"},
            {"role": "assistant", "content": "", "tool_calls": [call(8)]},
        ],
    },
    {
        "id": f"{2:032x}",
        "messages": [{"role": "user", "content": "Hello.", "name": "ann"}, {"role": "assistant", "content": "Hi."}],
    },
    row(3),
]


@pytest.fixture
def version(make_version: Callable[..., AdapterVersion], in_tenant: Tenant) -> AdapterVersion:
    made = make_version()
    dataset = made.run.dataset_version
    dataset.test_key = default_storage.save(object_key(in_tenant.id, "tests", "tools.jsonl"), lines(ROWS))
    dataset.save()
    return made


@pytest.fixture
def evaluation(version: AdapterVersion, tenant: Tenant, make_evaluation: Callable[..., EvaluationRun]) -> EvaluationRun:
    return make_evaluation(tenant, version=version)


def test_the_model_is_asked_with_everything_and_expected_to_call(in_tenant: Tenant, version: AdapterVersion) -> None:
    run = start_evaluation(tenant=in_tenant, version=version)
    store_rows(run)
    prompts = generation_spec(run).inputs["prompts"][0]
    with default_storage.open(prompts.key) as file:
        asked, *_ = map(json.loads, file)
    assert asked["messages"][-1] == {"role": "assistant", "content": CALLED}
    assert asked["tools"] == TOOLS
    assert [message["role"] for message in asked["messages"]] == ["user", "assistant", "tool", "assistant"]
    assert parse_row(asked, "1").messages[1]["tool_calls"] == [call(7)]
    assert asked["messages"][1]["reasoning_content"] == "Hm."


def test_every_page_shows_the_turns(as_alice: Client, alice: User, evaluation: EvaluationRun) -> None:
    item = EvaluationItem.objects.get(run=evaluation, position=1)
    place = RoundItem.objects.get(round=start(evaluation, alice), item=item)
    hand_out([place], alice)
    assert (item.tools, item.reference) == (TOOLS, CALLED)
    for address in (reverse("evaluations:detail", args=[evaluation.id]), review_of(place)):
        page = as_alice.get(address).content.decode()
        assert "Tool result" in page
        assert "on shelf &lt;3&gt;" in page
        assert "{&quot;box&quot;: 7}" in page
        assert "{&quot;box&quot;: 8}" in page


def review_of(place: RoundItem) -> str:
    return f"{reverse('evaluations:review', args=[place.round_id])}?item={place.id}"


def test_endpoints_are_asked_only_what_they_understand(evaluation: EvaluationRun, version: AdapterVersion) -> None:
    plain = EvaluationItem.objects.get(run=evaluation, position=3)
    assert known_answers(version, 3) == [(plain.messages, "SHELF 3 row 3")]
    assert example_items(version) == [plain]
    with_tools = EvaluationItem.objects.get(run=evaluation, position=1)
    assert example_named(with_tools.id, version) is None
    assert example_named(plain.id, version) == plain
