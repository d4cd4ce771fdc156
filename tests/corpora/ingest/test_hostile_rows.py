"""Whatever JSON a row is, it becomes a conversation or a problem that is named."""

import json
from pathlib import Path
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from corpora.ingest.contracts import Options
from corpora.ingest.layouts.canonical import Canonical
from corpora.ingest.layouts.known import recognise
from corpora.ingest.problems import RowProblem
from corpora.ingest.rows import digest
from tests.corpora.ingest.checking import check
from tests.examples import examples

KEYS = st.sampled_from(
    ("role", "content", "from", "value", "messages", "conversations", "prompt", "completion", "chosen", "rejected",
     "label", "text", "output", "instruction", "input", "history", "tools", "functions", "system", "tool_calls",
     "function_call", "function", "name", "arguments", "weight", "type", "reasoning", "split", "id", "tool_call_id",
     "contents", "parts", "conversation", "context", "human", "assistant", "toolUse", "toolUseId", "toolResult",
     "tool_use", "tool_result", "functionCall", "functionResponse", "functionDeclarations", "toolSpec", "args", "json")
)  # fmt: skip
TEXTS = st.sampled_from(
    ("", " ", "hello", "\0", "\ud800", "[]", "{}", '[{"role": "user", "content": "x"}]',
     '{"name": "f", "arguments": {}}',
     "### Human: x ### Assistant: y", "USER: x ASSISTANT: <functioncall> {\"name\": \"f\", \"arguments\": '{}'}",
     "[INST] <<SYS>>x<</SYS>> y [/INST] z", "USER:\0 ASSISTANT:\ud800 FUNCTION RESPONSE:\0 ASSISTANT: z",
     "user", "assistant", "tool", "human", "gpt", "function_call", "text", "reasoning", "true", "function")
)  # fmt: skip
ATOMS = st.none() | st.booleans() | st.integers(-2, 2) | st.just(1.5) | TEXTS
VALUES = st.recursive(
    ATOMS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
ROLES = st.sampled_from(("user", "assistant", "assistant", "system", "tool"))
USER, ANSWER = {"role": "user", "content": "hello"}, {"role": "assistant", "content": "hello"}
TURNS = st.builds(
    lambda role, content, more: {"role": role, "content": content, **more},
    ROLES,
    st.just("hello") | st.just("hello") | VALUES,
    st.just({}) | st.just({}) | st.dictionaries(KEYS, VALUES, max_size=2),
)
CONVERSATIONS = st.lists(TURNS, max_size=3) | st.lists(TURNS, max_size=3).map(lambda turns: [USER, *turns, ANSWER])
COLUMNS = st.sampled_from(("messages", "conversations", "chosen", "prompt"))
ROWS = st.builds(
    lambda row, turns: {**row, **turns},
    st.just({}) | st.dictionaries(KEYS, VALUES, max_size=3),
    st.just({}) | st.dictionaries(COLUMNS, CONVERSATIONS, min_size=1, max_size=2),
)


@settings(max_examples=examples(1_000), deadline=None)
@given(row=ROWS, keeps=st.booleans())
def test_any_row_is_a_conversation_or_a_problem(row: dict[str, Any], keeps: bool) -> None:
    found = recognise(row, {})
    options = Options(preferences="chosen", reasoning="keep" if keeps else "drop")
    try:
        read = Canonical(found.layout, found.columns, options).read(row)
    except RowProblem as problem:
        event(problem.code)
        return
    event("a conversation")
    assert len(read.messages) >= 2
    assert (read.messages[-1].role, read.messages[-1].weight) == ("assistant", 1)
    conversation = digest(read.messages, read.tools).conversation
    assert isinstance(json.loads(b'{"messages":%b}' % conversation)["messages"], list)


def test_a_table_of_very_many_columns_is_read_in_one_go(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(50_000)]
    rows = [[f"q{number}", f"a{number}", *["x"] * len(names)] for number in range(4)]
    content = "\n".join(",".join(row) for row in (["prompt", "completion", *names], *rows)).encode()
    outcome = check(content, tmp_path / "run")
    assert (outcome.report.accepted, outcome.report.rows) == (True, 4)
