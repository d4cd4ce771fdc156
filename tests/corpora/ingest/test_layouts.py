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
    "Bedrock's and Gemini's parts without a type": (
        "chat",
        lambda i: {"messages": [{**turn, "content": [{"text": turn["content"]}]} for turn in chat(i)]},
    ),
    "Gemini": (
        "chat",
        lambda i: {
            "contents": [
                {"role": "user", "parts": [{"text": question(i)}]},
                {"role": "model", "parts": [{"text": answer(i)}]},
            ]
        },
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
    "texts that alternate, as in LIMA": ("exchanges", lambda i: {"conversations": [question(i), answer(i)]}),
    "pairs, as in Capybara": (
        "exchanges",
        lambda i: {"source": "desk", "conversation": [{"input": question(i), "output": answer(i)}]},
    ),
    "pairs of a human and an assistant": (
        "exchanges",
        lambda i: {"conversation": [{"human": question(i), "assistant": answer(i)}]},
    ),
    "Guanaco": ("transcript", lambda i: {"text": f"### Human: {question(i)}### Assistant: {answer(i)}"}),
    "Vicuna": ("transcript", lambda i: {"text": f"USER: {question(i)} ASSISTANT: {answer(i)}</s>"}),
    "Llama 2": ("transcript", lambda i: {"text": f"<s>[INST] {question(i)} [/INST] {answer(i)} </s>"}),
    "Llama 3": (
        "transcript",
        lambda i: {
            "text": f"<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n{question(i)}<|eot_id|>"
            f"<|start_header_id|>assistant<|end_header_id|>\n\n{answer(i)}<|eot_id|>"
        },
    ),
    "ChatML": (
        "transcript",
        lambda i: {
            "text": f"<|im_start|>user\n{question(i)}<|im_end|>\n<|im_start|>assistant\n{answer(i)}<|im_end|>\n"
        },
    ),
    "Glaive": (
        "transcript",
        lambda i: {"chat": f"USER: {question(i)}\n\n\nASSISTANT: {answer(i)} <|endoftext|>\n\n\n"},
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
    "HH-RLHF": (
        "preference",
        lambda i: {
            "chosen": f"\n\nHuman: {question(i)}\n\nAssistant: {answer(i)}",
            "rejected": f"\n\nHuman: {question(i)}\n\nAssistant: No.",
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
    assert report.metadata == ("Team",)
    assert [notice.code for notice in report.warnings] == ["dataset:guessed_columns"]
    assert "“Question” as prompt" in report.warnings[0].text
    mapped = check(jsonl(rows), tmp_path / "mapped", options={"columns": {"prompt": "Question"}}).report
    assert mapped.guessed == ("completion",)


def test_text_without_a_label_says_what_is_missing(tmp_path: Path) -> None:
    rows = [{"text": f"{question(i)} {answer(i)}"} for i in range(COUNT)]
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


def first_of(rows: list[Row], folder: Path) -> list[dict[str, Any]]:
    """The turns of the first row."""
    outcome = check(jsonl(rows), folder / "run")
    assert outcome.report.accepted, outcome.report.problems
    by_question = {turn["content"]: row["messages"] for row in outcome.rows for turn in row["messages"]}
    turns: list[dict[str, Any]] = next(by_question[text] for text in by_question if question(0) in text)
    return turns


@pytest.mark.parametrize("name", ["system", "system_prompt", "systemInstruction"])
@pytest.mark.parametrize("told", ["Be brief.", [{"text": "Be brief."}], {"parts": [{"text": "Be brief."}]}])
def test_instructions_have_several_names_and_forms(name: str, told: Any, tmp_path: Path) -> None:
    turns = first_of([{name: told, "question": question(i), "response": answer(i)} for i in range(COUNT)], tmp_path)
    assert turns[0] == {"role": "system", "content": "Be brief."}


@pytest.mark.parametrize(("asked", "said"), [("question", "answer"), ("query", "response"), ("prompt", "response")])
def test_a_context_or_earlier_turns_beside_a_question_are_not_lost(asked: str, said: str, tmp_path: Path) -> None:
    rows: list[Row] = [{asked: question(i), "context": f"Depot {i} is red.", said: answer(i)} for i in range(COUNT)]
    assert first_of(rows, tmp_path / "context")[0]["content"] == f"{question(0)}\n\nDepot 0 is red."
    rows = [{asked: question(i), said: answer(i), "history": [["Hello?", "Yes."]]} for i in range(COUNT)]
    assert [turn["content"] for turn in first_of(rows, tmp_path / "history")][:2] == ["Hello?", "Yes."]


def test_what_stands_around_the_turns_of_a_transcript_has_its_place(tmp_path: Path) -> None:
    texts = [
        f"Below is a task.\n\n### Instruction:\n{question(i)}\n\n### Input:\nDepots\n\n### Response:\n{answer(i)}"
        for i in range(COUNT)
    ]
    assert first_of([{"text": text} for text in texts], tmp_path / "alpaca") == [
        {"role": "system", "content": "Below is a task."},
        {"role": "user", "content": f"{question(0)}\n\nDepots"},
        {"role": "assistant", "content": answer(0)},
    ]
    texts = [f"<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\n{question(i)} [/INST] {answer(i)} </s>" for i in range(COUNT)]
    assert first_of([{"text": text} for text in texts], tmp_path / "llama")[0]["content"] == "Be brief."


def test_calls_in_a_transcript_are_calls(tmp_path: Path) -> None:
    rows = [
        {
            "system": "SYSTEM: Use functions.",
            "chat": f"USER: {question(i)}\n\n\nASSISTANT: <functioncall> "
            '{"name": "find", "arguments": \'{"parcel": 1}\'} <|endoftext|>\n\n\n'
            f'FUNCTION RESPONSE: {{"depot": 1}}\n\n\nASSISTANT: {answer(i)} <|endoftext|>',
        }
        for i in range(COUNT)
    ]
    told, _, call, said, _ = first_of(rows, tmp_path)
    assert told["content"] == "Use functions."
    assert call["tool_calls"][0]["function"] == {"name": "find", "arguments": {"parcel": 1}}
    assert said == {"role": "tool", "content": '{"depot": 1}'}


def test_calls_instead_of_an_answer_are_calls_where_there_are_tools(tmp_path: Path) -> None:
    calls = [{"name": "find", "arguments": {"parcel": 1}}]
    tool = {"name": "find", "description": "Finds it.", "parameters": {"parcel": {"type": "int"}}}
    for name, answers, tools in (("list", calls, [tool]), ("text", json.dumps(calls), json.dumps([tool]))):
        rows = [{"query": question(i), "answers": answers, "tools": tools} for i in range(COUNT)]
        assert first_of(rows, tmp_path / name)[1]["tool_calls"][0]["function"] == calls[0]
    rows = [{"query": question(i), "answers": json.dumps(calls)} for i in range(COUNT)]
    assert first_of(rows, tmp_path / "without")[1]["content"] == json.dumps(calls)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"parent_id": None, "text": "Hello?", "role": "prompter", "lang": "en"}, "OpenAssistant"),
        ({"message_tree_id": "1", "tree_state": "ready", "prompt": {"text": "Hello?", "replies": []}}, "OpenAssistant"),
        ({"title": "Depots", "paragraphs": [{"context": "c", "qas": []}]}, "SQuAD"),
        ({"segments": [{"label": True, "text": "Hello"}]}, "axolotl"),
        ({"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {}}, "requests of a batch"),
        ({"conversation_a": chat(1), "conversation_b": chat(2), "winner": "model_a"}, "compares two answers"),
    ],
)
def test_a_format_that_cannot_be_learnt_from_is_refused_by_name(row: Row, words: str, tmp_path: Path) -> None:
    outcome = check(jsonl([row] * COUNT), tmp_path / "run")
    assert not outcome.report.accepted
    assert words in outcome.report.problems[0].text


def test_a_problem_names_the_column_of_the_file(tmp_path: Path) -> None:
    outcome = check(jsonl([{"question": question(i), "answer": 5} for i in range(COUNT)]), tmp_path / "run")
    assert outcome.first == (1, "completion", "data_type")
    assert "“answer” is a number" in outcome.report.problems[0].text


def test_unused_columns_of_a_parquet_file_are_named(tmp_path: Path) -> None:
    rows = [{"messages": chat(i), "prompt_id": str(i), "link": "desk"} for i in range(COUNT)]
    report = check(parquet_table(pa.Table.from_pylist(rows)), tmp_path / "run").report
    assert [notice.text for notice in report.warnings if notice.code == "dataset:unused_field"] == [
        "Not used in training: link, prompt_id."
    ]
