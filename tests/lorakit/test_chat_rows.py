"""Rows as a dataset writes them: what is read, what is passed to a chat template, what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from lorakit.chat_templates import read_by
from lorakit.errors import RunError
from lorakit.rows import parse_row, read_rows, text_of

CALL: dict[str, Any] = {"id": "1", "type": "function", "function": {"name": "look_up", "arguments": {"order": 7}}}
ASKED = {"role": "user", "content": "Where is it?"}


def test_a_row_with_everything_is_read_as_a_template_takes_it() -> None:
    calling = {"role": "assistant", "content": "", "tool_calls": [CALL], "weight": 0, "reasoning_content": "Hm."}
    told = {"role": "tool", "content": "late", "tool_call_id": "1", "name": "look_up"}
    answer = {"role": "assistant", "content": "It is late."}
    line = {"id": 4, "slice": "all", "label": "", "messages": [ASKED, calling, told, answer], "tools": [{"a": 1}]}
    row = parse_row(line, "4")
    assert row.messages == [ASKED, {k: v for k, v in calling.items() if k != "weight"}, told, answer]
    assert row.tools == [{"a": 1}]
    assert row.muted == {1}


def test_a_row_of_before_reads_as_before(tmp_path: Path) -> None:
    line = {"id": "a", "messages": [ASKED | {"more": 1}, {"role": "assistant", "content": "There."}]}
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(line) + "\n\n")
    [row] = read_rows(path, area="training")
    assert row.messages == [ASKED, {"role": "assistant", "content": "There."}]
    assert (row.id, row.tools, row.muted) == ("a", [], frozenset())


@pytest.mark.parametrize(
    "last",
    [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": None},
        {"role": "assistant"},
        {"role": "assistant", "content": "", "weight": 0.5},
        {"role": "assistant", "content": "", "weight": "0"},
        {"role": "assistant", "content": "", "name": 3},
        {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]},
        {"role": "assistant", "content": "", "tool_calls": ["f"]},
        {"role": "assistant", "content": "", "reasoning_content": ["Hm."]},
    ],
)
def test_a_row_that_is_none_is_named_by_its_line(tmp_path: Path, last: dict[str, Any]) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"messages": [ASKED, last]}) + "\n")
    with pytest.raises(RunError, match="Line 1 of") as caught:
        list(read_rows(path, area="training"))
    assert caught.value.code == "training:bad_row"


def test_a_tool_call_reads_as_its_json() -> None:
    assert text_of({"role": "assistant", "content": "", "tool_calls": [CALL, CALL]}) == (
        '{"name": "look_up", "arguments": {"order": 7}}\n{"name": "look_up", "arguments": {"order": 7}}'
    )
    called = '{"name": "look_up", "arguments": {"order": 7}}'
    assert text_of({"role": "assistant", "content": "So.", "tool_calls": [CALL]}) == f"So.\n{called}"
    assert text_of({"role": "assistant", "content": ""}) == ""


@pytest.mark.parametrize(
    ("template", "read"),
    [
        ("{% for m in messages %}{{ m.content }}{% endfor %}", set()),
        ("The word tools, tool_calls and reasoning_content in a text.", set()),
        ("{# tools #}{% if 'x' == 'reason' %}{{ messages }}{% endif %}", set()),
        ("{% if custom is defined %}{% set tools = custom %}{% endif %}{{ tools | tojson }}", {"tools"}),
        ("{% macro say(m) %}{{ m['tool_calls'] }}{% endmacro %}{{ say(messages[0]) }}", {"tool_calls"}),
        (
            "{% for m in messages %}{%- generation -%}{{ m.get('thinking') }}{% endgeneration %}{% endfor %}",
            {"reasoning"},
        ),
        ("{% for m in messages if m.role == 'tool' %}{% break %}{% endfor %}", {"tool turns"}),
    ],
)
def test_what_a_template_reads_is_told_from_its_code(template: str, read: set[str]) -> None:
    assert read_by(template) == read
