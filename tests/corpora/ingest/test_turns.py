"""What OpenAI's format and others can say of a turn is kept, or refused by name."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.corpora.ingest.checking import Outcome, check

Turn = dict[str, Any]
USER: Turn = {"role": "user", "content": "Where is my parcel?"}
ANSWER: Turn = {"role": "assistant", "content": "In the depot."}
CALL = {"id": "call_1", "type": "function", "function": {"name": "track", "arguments": '{"parcel": 1}'}}
TOOL = {"type": "function", "function": {"name": "track", "parameters": {"type": "object"}}}


def run(folder: Path, *turns: Turn, options: dict[str, Any] | None = None, **columns: Any) -> Outcome:
    """A check of four rows with these turns, told apart by their first."""
    rows = [
        {"messages": [{**turns[0], "content": f"{turns[0]['content']} {i}"}, *turns[1:]], **columns} for i in range(4)
    ]
    return check("".join(json.dumps(row) + "\n" for row in rows).encode(), folder / "run", options=options)


def stored(outcome: Outcome) -> list[Turn]:
    """The turns of a row behind the first."""
    assert outcome.report.accepted, outcome.report.problems
    turns: list[Turn] = outcome.rows[0]["messages"][1:]
    return turns


def notices(outcome: Outcome) -> dict[str, int]:
    return {notice.code: notice.count for notice in outcome.report.warnings}


@pytest.mark.parametrize("key", ["weight", "train", "training", "loss"])
@pytest.mark.parametrize("masked", [0, 0.0, False])
def test_an_answer_of_weight_0_is_kept_and_not_learnt(key: str, masked: Any, tmp_path: Path) -> None:
    outcome = run(tmp_path, USER, {**ANSWER, "content": "No idea.", key: masked}, USER, {**ANSWER, key: 1})
    assert stored(outcome) == [{**ANSWER, "content": "No idea.", "weight": 0}, USER, ANSWER]
    assert notices(outcome) == {"dataset:not_learnt": 4}


def test_what_follows_the_last_answer_to_learn_is_cut(tmp_path: Path) -> None:
    outcome = run(tmp_path, USER, ANSWER, USER, {**ANSWER, "content": "No idea.", "weight": 0})
    assert stored(outcome) == [ANSWER]


def test_a_row_without_an_answer_to_learn_is_refused(tmp_path: Path) -> None:
    outcome = run(tmp_path, USER, {**ANSWER, "weight": 0})
    assert outcome.first == (1, "messages", "dataset:nothing_to_learn")


@pytest.mark.parametrize("weight", [2, 0.5, "0", -1])
def test_another_weight_is_refused(weight: Any, tmp_path: Path) -> None:
    outcome = run(tmp_path, USER, {**ANSWER, "weight": weight})
    assert outcome.first == (1, "messages[1].weight", "dataset:weight")


def test_a_developer_speaks_as_the_system(tmp_path: Path) -> None:
    outcome = run(tmp_path, {"role": "developer", "content": "Be brief."}, USER, ANSWER)
    assert outcome.rows[0]["messages"][0]["role"] == "system"


def test_instructions_and_an_answer_are_enough(tmp_path: Path) -> None:
    assert stored(run(tmp_path, {"role": "system", "content": "Say something kind."}, ANSWER)) == [ANSWER]


def test_names_are_kept(tmp_path: Path) -> None:
    outcome = run(tmp_path, {**USER, "name": "customer_9"}, ANSWER)
    assert outcome.rows[0]["messages"][0]["name"] == "customer_9"


def test_tools_are_kept_in_one_form(tmp_path: Path) -> None:
    said = {"role": "tool", "tool_call_id": "call_1", "content": "in depot"}
    outcome = run(
        tmp_path, USER, {"role": "assistant", "content": None, "tool_calls": [CALL]}, said, ANSWER, tools=[TOOL]
    )
    call = {"function": {"name": "track", "arguments": {"parcel": 1}}, "type": "function", "id": "call_1"}
    assert stored(outcome) == [{"role": "assistant", "content": "", "tool_calls": [call]}, said, ANSWER]
    assert outcome.rows[0]["tools"] == [TOOL]
    assert notices(outcome) == {"dataset:uses_tools": 4}


def test_tools_of_older_formats_are_the_same(tmp_path: Path) -> None:
    called = {"role": "assistant", "content": None, "function_call": CALL["function"]}
    older = run(tmp_path / "a", USER, called, {"role": "function", "name": "track", "content": "in depot"}, ANSWER,
                functions=[TOOL["function"]])  # fmt: skip
    assert stored(older)[0]["tool_calls"][0]["function"] == {"name": "track", "arguments": {"parcel": 1}}
    assert older.rows[0]["tools"] == [TOOL]
    call = json.dumps({"name": "track", "arguments": {"parcel": 1}})
    rows = [
        {
            "conversations": [
                {"from": "human", "value": f"q{i}"},
                {"from": "function_call", "value": call},
                {"from": "observation", "value": "in depot"},
                {"from": "gpt", "value": "In the depot."},
            ],
            "tools": json.dumps([TOOL["function"]]),
        }
        for i in range(4)
    ]
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    outcome = check(content, tmp_path / "b")
    assert stored(outcome)[0]["tool_calls"][0]["function"] == {"name": "track", "arguments": {"parcel": 1}}
    assert outcome.rows[0]["tools"] == [TOOL]


@pytest.mark.parametrize(
    ("call", "field"),
    [
        ({"function": {"arguments": "{}"}}, "messages[1].tool_calls[0]"),
        ({"function": {"name": "track", "arguments": "{'a': 1}"}}, "messages[1].tool_calls[0].function.arguments"),
        ({"function": {"name": "track", "arguments": "[1]"}}, "messages[1].tool_calls[0].function.arguments"),
        ({"function": {"name": "track", "arguments": "{}"}, "id": 5}, "messages[1].tool_calls[0].id"),
        ("track", "messages[1].tool_calls[0]"),
    ],
)
def test_a_broken_call_is_named(call: Any, field: str, tmp_path: Path) -> None:
    outcome = run(tmp_path, USER, {"role": "assistant", "tool_calls": [call]}, ANSWER)
    assert outcome.first == (1, field, "dataset:tools")


@pytest.mark.parametrize("tools", [[{"description": "no name"}], "not JSON", ["track"]])
def test_broken_tools_are_named(tools: Any, tmp_path: Path) -> None:
    assert run(tmp_path, USER, ANSWER, tools=tools).first[2] == "dataset:tools"


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning", "thinking"])
def test_reasoning_is_dropped_or_kept_by_choice(key: str, tmp_path: Path) -> None:
    thought = {**ANSWER, key: "It left the desk yesterday."}
    dropped = run(tmp_path / "a", USER, thought)
    assert stored(dropped) == [ANSWER]
    assert notices(dropped) == {"dataset:reasoning": 4}
    kept = run(tmp_path / "b", USER, thought, options={"reasoning": "keep"})
    assert stored(kept) == [{**ANSWER, "reasoning_content": "It left the desk yesterday."}]


def test_parts_other_than_text_are_named(tmp_path: Path) -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    outcome = run(tmp_path, USER, {"role": "user", "content": [{"type": "text", "text": "Look."}, image]}, ANSWER)
    assert outcome.first == (1, "messages[1].content[1]", "missing_content")
    assert "image_url" in outcome.report.problems[0].text


@pytest.mark.parametrize("key", ["text", "value"])
def test_parts_of_an_answer_are_its_text_its_reasoning_and_its_calls(key: str, tmp_path: Path) -> None:
    call = json.dumps({"name": "track", "arguments": {"parcel": 1}})
    parts = [
        {"type": "reasoning", key: "I have to look it up."},
        {"type": "text", key: "One moment."},
        {"type": "tool_call", key: call},
    ]
    said = {"role": "tool", "content": [{"type": "text", key: "in depot"}]}
    outcome = run(tmp_path, USER, {"role": "assistant", "content": parts}, said, ANSWER, options={"reasoning": "keep"})
    answered = stored(outcome)[0]
    assert (answered["content"], answered["reasoning_content"]) == ("One moment.", "I have to look it up.")
    assert answered["tool_calls"][0]["function"] == {"name": "track", "arguments": {"parcel": 1}}
    assert stored(outcome)[1]["content"] == "in depot"


def test_personal_data_is_masked_wherever_it_stands(tmp_path: Path) -> None:
    call = {"function": {"name": "mail", "arguments": {"to": ["ann@example.com"]}}}
    turns = (
        USER,
        {"role": "assistant", "tool_calls": [call], "reasoning_content": "Ann is ann@example.com."},
        {"role": "tool", "content": "Sent to ann@example.com"},
        ANSWER,
    )
    outcome = run(tmp_path, *turns, options={"personal_data": "mask", "reasoning": "keep"})
    assert "ann@example.com" not in json.dumps(outcome.rows)
    assert stored(outcome)[0]["tool_calls"][0]["function"]["arguments"] == {"to": ["[email]"]}


def test_plain_turns_are_stored_as_ever(tmp_path: Path) -> None:
    """IDs of rows do not change with what else a turn could say."""
    content = "".join(json.dumps({"messages": [{**USER, "content": f"q{i}"}, ANSWER]}) + "\n" for i in range(4))
    plain = check(content.encode(), tmp_path / "a")
    weighted = content.replace('depot."}', 'depot.", "weight": 1}')
    assert {row["id"] for row in check(weighted.encode(), tmp_path / "b").rows} == {row["id"] for row in plain.rows}
    assert plain.rows[0].keys() == {"id", "slice", "label", "messages"}


BEDROCK = (
    {"role": "user", "content": [{"text": "Where is my parcel?"}]},
    {"role": "assistant", "content": [{"toolUse": {"toolUseId": "call_1", "name": "track", "input": {"parcel": 1}}}]},
    {"role": "user", "content": [{"toolResult": {"toolUseId": "call_1", "content": [{"text": "in depot"}]}}]},
)
ANTHROPIC = (
    USER,
    {"role": "assistant", "content": [{"type": "tool_use", "id": "call_1", "name": "track", "input": {"parcel": 1}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "in depot"}]},
)


@pytest.mark.parametrize(
    ("turns", "columns"),
    [
        (BEDROCK, {"toolConfig": {"tools": [{"toolSpec": {"name": "track", "inputSchema": {"json": {}}}}]}}),
        (ANTHROPIC, {"tools": [{"name": "track", "input_schema": {}}]}),
        (ANTHROPIC, {"tools": [{"functionDeclarations": [{"name": "track", "parameters": {}}]}]}),
    ],
)
def test_tools_in_parts_are_calls_and_turns_of_their_own(turns: Any, columns: Turn, tmp_path: Path) -> None:
    rows = [{"messages": [{"role": "user", "content": f"{i}"}, ANSWER, *turns, ANSWER], **columns} for i in range(4)]
    outcome = check("".join(json.dumps(row) + "\n" for row in rows).encode(), tmp_path / "run")
    call = {"function": {"name": "track", "arguments": {"parcel": 1}}, "type": "function", "id": "call_1"}
    assert stored(outcome)[2:] == [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "in depot", "tool_call_id": "call_1"},
        ANSWER,
    ]
    assert outcome.rows[0]["tools"] == [{"type": "function", "function": {"name": "track", "parameters": {}}}]


@pytest.mark.parametrize("part", [{"image": {"format": "png"}}, {"fileData": {"fileUri": "gs://a"}}, {}, "text", None])
def test_a_part_without_a_type_that_is_no_text_is_refused_by_name(part: Any, tmp_path: Path) -> None:
    rows = [{"messages": [{"role": "user", "content": [part]}, ANSWER]} for _ in range(4)]
    outcome = check("".join(json.dumps(row) + "\n" for row in rows).encode(), tmp_path / "run")
    assert outcome.first == (1, "messages[0].content[0]", "missing_content")
    assert "None" not in outcome.report.problems[0].text
