"""Each layout is told from the others by its shape, and comes out as the same conversation."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from corpora.ingest.layouts.known import recognise
from tests.corpora.corpus.writing import parquet_table
from tests.corpora.ingest.checking import Outcome, check

Row = dict[str, Any]
Make = Callable[[int], Row]
COUNT = 8


def question(number: int) -> str:
    return f"Where is parcel {number}?"


def answer(number: int) -> str:
    return f"In depot {number}."


def jsonl(rows: list[Row]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def chat(number: int) -> list[Row]:
    return [{"role": "user", "content": question(number)}, {"role": "assistant", "content": answer(number)}]


def sharegpt(number: int) -> list[Row]:
    return [{"from": "human", "value": question(number)}, {"from": "gpt", "value": answer(number)}]


LAYOUTS: dict[str, tuple[str, Make]] = {
    "OpenAI": ("chat", lambda i: {"messages": chat(i)}),
    "another name for the turns": ("chat", lambda i: {"conversations": chat(i)}),
    "JSON in a text": ("chat", lambda i: {"messages": json.dumps(chat(i))}),
    "a struct of lists": (
        "chat",
        lambda i: {"messages": {"role": ["user", "assistant"], "content": [question(i), answer(i)]}},
    ),
    "parts of text": (
        "chat",
        lambda i: {"messages": [{**turn, "content": [{"type": "text", "text": turn["content"]}]} for turn in chat(i)]},
    ),
    "ShareGPT": ("ShareGPT", lambda i: {"conversations": sharegpt(i)}),
    "ShareGPT under another name": ("ShareGPT", lambda i: {"messages": sharegpt(i)}),
    "prompt and completion": ("prompt and completion", lambda i: {"prompt": question(i), "completion": answer(i)}),
    "question and answer": ("prompt and completion", lambda i: {"Question": question(i), "Answer": answer(i)}),
    "query and response": ("prompt and completion", lambda i: {"query": question(i), "response": answer(i)}),
    "input and output": ("prompt and completion", lambda i: {"input": question(i), "output": answer(i)}),
    "TRL's lists of turns": ("prompt and completion", lambda i: {"prompt": chat(i)[:1], "completion": chat(i)[1:]}),
    "Alpaca": ("instruction", lambda i: {"instruction": question(i), "input": "", "output": answer(i)}),
    "Dolly": (
        "instruction",
        lambda i: {"instruction": question(i), "context": "", "response": answer(i), "category": "closed_qa"},
    ),
    "classification": ("classification", lambda i: {"text": question(i), "label": answer(i)}),
    "texts with a sentiment": ("classification", lambda i: {"id": i, "sentiment": answer(i), "text": question(i)}),
}

PREFERENCES: dict[str, tuple[str, Make]] = {
    "DPO": ("preference", lambda i: {"prompt": question(i), "chosen": answer(i), "rejected": "No idea."}),
    "DPO with lists of turns": (
        "preference",
        lambda i: {"prompt": chat(i)[:1], "chosen": chat(i)[1:], "rejected": [{"role": "assistant", "content": "No."}]},
    ),
    "DPO with whole conversations": (
        "preference",
        lambda i: {"chosen": chat(i), "rejected": [*chat(i)[:1], {"role": "assistant", "content": "No."}]},
    ),
    "DPO in ShareGPT's notation": (
        "preference",
        lambda i: {
            "conversations": sharegpt(i)[:1],
            "chosen": sharegpt(i)[1],
            "rejected": {"from": "gpt", "value": "No."},
        },
    ),
    "OpenAI's preferences": (
        "preference",
        lambda i: {
            "input": {"messages": chat(i)[:1]},
            "preferred_output": chat(i)[1:],
            "non_preferred_output": [{"role": "assistant", "content": "No."}],
        },
    ),
    "KTO": ("KTO", lambda i: {"prompt": question(i), "completion": answer(i), "label": True}),
    "KTO with turns": ("KTO", lambda i: {"messages": chat(i), "label": True}),
    "KTO in ShareGPT's notation": ("KTO", lambda i: {"conversations": sharegpt(i), "kto_tag": True}),
}


def turns_of(outcome: Outcome) -> set[tuple[tuple[str, str], ...]]:
    return {tuple((turn["role"], turn["content"]) for turn in row["messages"]) for row in outcome.rows}


EXPECTED = {(("user", question(i)), ("assistant", answer(i))) for i in range(COUNT)}


@pytest.mark.parametrize("name", LAYOUTS)
def test_rows_come_out_as_conversations_from_json_lines(name: str, tmp_path: Path) -> None:
    layout, make = LAYOUTS[name]
    outcome = check(jsonl([make(i) for i in range(COUNT)]), tmp_path / "run")
    assert outcome.report.accepted, outcome.report.problems
    assert outcome.report.layout == layout
    assert turns_of(outcome) == EXPECTED


@pytest.mark.parametrize("name", LAYOUTS)
def test_rows_come_out_as_conversations_from_parquet(name: str, tmp_path: Path) -> None:
    layout, make = LAYOUTS[name]
    outcome = check(parquet_table(pa.Table.from_pylist([make(i) for i in range(COUNT)])), tmp_path / "run")
    assert outcome.report.accepted, outcome.report.problems
    assert outcome.report.layout == layout
    assert turns_of(outcome) == EXPECTED


@pytest.mark.parametrize("name", PREFERENCES)
def test_preference_data_is_refused_by_name_and_its_chosen_answers_taken_on_request(name: str, tmp_path: Path) -> None:
    layout, make = PREFERENCES[name]
    content = jsonl([make(i) for i in range(COUNT)])
    refused = check(content, tmp_path / "refused")
    assert (refused.report.accepted, refused.report.layout) == (False, layout)
    assert refused.report.problems[0].code == "dataset:preference_data"
    assert refused.report.problem_count == 1
    outcome = check(content, tmp_path / "taken", options={"preferences": "chosen"})
    assert outcome.report.accepted, outcome.report.problems
    assert turns_of(outcome) == EXPECTED
    assert {row["label"] for row in outcome.rows} == {None}


@pytest.mark.parametrize("name", [*LAYOUTS, *PREFERENCES])
def test_a_layout_never_takes_the_rows_of_another(name: str) -> None:
    layout, make = {**LAYOUTS, **PREFERENCES}[name]
    row = make(1)
    found = recognise(row, {})
    assert found.layout is not None
    assert found.layout.name == layout
    # Nor where other columns stand beside, in any order.
    for more in ({"id": "7", "source": "desk", "created": 5}, {"split": "train", "notes": "text"}):
        for mixed in ({**row, **more}, {**more, **dict(reversed(row.items()))}):
            again = recognise(mixed, {})
            assert again.layout is found.layout


@pytest.mark.parametrize("labels", [[True, False] * 4, ["True", "False"] * 4, ["false", "true"] * 4])
def test_a_bad_answer_is_never_learnt(labels: list[Any], tmp_path: Path) -> None:
    rows = [{"prompt": question(i), "completion": answer(i), "label": label} for i, label in enumerate(labels)]
    assert not check(jsonl(rows), tmp_path / "refused").report.accepted
    outcome = check(jsonl(rows), tmp_path / "taken", options={"preferences": "chosen"})
    good = {i for i, label in enumerate(labels) if str(label).lower() == "true"}
    assert {row["messages"][-1]["content"] for row in outcome.rows} == {answer(i) for i in good}
    notices = {notice.code: notice.count for notice in outcome.report.warnings}
    assert notices["dataset:not_chosen"] == 4


def test_a_late_verdict_is_a_problem_of_its_row(tmp_path: Path) -> None:
    rows: list[Row] = [{"prompt": question(i), "completion": answer(i), "label": None} for i in range(COUNT)]
    rows[5]["label"] = False
    outcome = check(jsonl(rows), tmp_path / "run")
    assert outcome.first == (6, "label", "dataset:preference_data")


def test_preference_rows_in_a_table_are_recognised(tmp_path: Path) -> None:
    content = "prompt,completion,label\n" + "".join(f"q{i},a{i},{i % 2 == 0}\n" for i in range(COUNT))
    outcome = check(content.encode(), tmp_path / "run")
    assert outcome.report.layout == "KTO"
    assert outcome.first[2] == "dataset:preference_data"


def test_a_layout_that_was_chosen_is_not_guessed(tmp_path: Path) -> None:
    rows = [{"prompt": question(i), "completion": answer(i), "label": i % 2 == 0} for i in range(COUNT)]
    outcome = check(jsonl(rows), tmp_path / "run", options={"layout": "prompt and completion"})
    assert outcome.report.accepted
    assert {row["label"] for row in outcome.rows} == {"true", "false"}


def test_columns_of_other_names_are_reported_as_a_guess(tmp_path: Path) -> None:
    rows = [{"Question": question(i), "Answer": answer(i), "Team": "north"} for i in range(COUNT)]
    report = check(jsonl(rows), tmp_path / "run").report
    assert report.mapping == {"prompt": "Question", "completion": "Answer"}
    assert report.guessed == ("prompt", "completion")
    assert [notice.code for notice in report.warnings] == ["dataset:guessed_columns", "dataset:unused_field"]
    assert "“Question” as prompt" in report.warnings[0].text
    mapped = check(jsonl(rows), tmp_path / "mapped", options={"columns": {"prompt": "Question"}}).report
    assert mapped.guessed == ("completion",)


def test_text_without_a_label_says_what_is_missing(tmp_path: Path) -> None:
    rows = [{"text": f"### Human: {question(i)} ### Assistant: {answer(i)}"} for i in range(COUNT)]
    outcome = check(jsonl(rows), tmp_path / "run")
    assert outcome.first == (1, "label", "dataset:missing_field")
    assert "no label" in outcome.report.problems[0].text


def test_python_lists_in_a_table_are_named(tmp_path: Path) -> None:
    content = "messages\n" + "".join(f'"{chat(i)}"\n' for i in range(COUNT))
    outcome = check(content.encode(), tmp_path / "run", options={"layout": "chat"})
    assert outcome.first == (2, "messages", "data_type")
    assert "json.dumps" in outcome.report.problems[0].text


@pytest.mark.parametrize(
    ("value", "split"),
    [("train", "train"), ("training", "train"), ("Test", "test"), ("val", "test"), ("valid", "test"),
     ("validation", "test"), ("dev", "test"), ("eval", "test"), ("evaluation", "test")],
)  # fmt: skip
def test_the_usual_names_of_splits_are_known(value: str, split: str, tmp_path: Path) -> None:
    rows = [{"messages": chat(i), "split": "train"} for i in range(COUNT)]
    rows.append({"messages": chat(COUNT), "split": value})
    outcome = check(jsonl(rows), tmp_path / "run")
    read = outcome.train if split == "train" else outcome.test
    assert question(COUNT) in {row["messages"][0]["content"] for row in read}


def test_class_numbers_of_parquet_become_their_names(tmp_path: Path) -> None:
    names = ["late", "early"]
    features = {"label": {"names": names, "_type": "ClassLabel"}, "text": {"dtype": "string", "_type": "Value"}}
    table = pa.table({"text": [question(i) for i in range(COUNT)], "label": [i % 2 for i in range(COUNT)]})
    stored = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    outcome = check(parquet_table(stored), tmp_path / "run")
    assert outcome.report.accepted, outcome.report.problems
    assert {row["messages"][-1]["content"] for row in outcome.rows} == {*names}
    assert {row["label"] for row in outcome.rows} == {*names}
    unnamed = pa.table({"text": ["q", "r"], "label": [0, -1]}).replace_schema_metadata(stored.schema.metadata)
    assert check(parquet_table(unnamed), tmp_path / "unnamed").first == (2, "label", "dataset:missing_field")


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int32(), pa.string())])
def test_texts_of_every_parquet_type_are_read(kind: pa.DataType, tmp_path: Path) -> None:
    columns = {
        name: pa.array([make(i) for i in range(COUNT)]).cast(kind)
        for name, make in (("prompt", question), ("completion", answer))
    }
    outcome = check(parquet_table(pa.table(columns)), tmp_path / "run")
    assert turns_of(outcome) == EXPECTED


def test_an_empty_prompt_is_taken_and_said(tmp_path: Path) -> None:
    rows = [{"prompt": "", "completion": answer(i)} for i in range(COUNT)]
    outcome = check(jsonl(rows), tmp_path / "run")
    assert outcome.report.accepted, outcome.report.problems
    assert {notice.code: notice.count for notice in outcome.report.warnings} == {"dataset:empty_prompt": COUNT}
    assert outcome.report.test >= 1


def test_an_empty_cell_of_a_table_is_missing(tmp_path: Path) -> None:
    outcome = check(b"prompt,completion\nq,a\n,b\nr,c\n", tmp_path / "run")
    assert outcome.first == (3, "prompt", "dataset:missing_field")


def test_earlier_turns_of_alpaca_come_first(tmp_path: Path) -> None:
    rows = [
        {"instruction": question(i), "output": answer(i), "history": [["Hello", "Hi."]], "system": "Be brief."}
        for i in range(COUNT)
    ]
    outcome = check(jsonl(rows), tmp_path / "run")
    assert [turn["role"] for turn in outcome.rows[0]["messages"]] == [
        "system", "user", "assistant", "user", "assistant",
    ]  # fmt: skip
