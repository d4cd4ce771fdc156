"""Each class of bad file is refused with its own code and the place of the fault, and leaves no rows."""

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.corpora.conftest import jsonl, pairs
from tests.corpora.corpus.writing import parquet_table
from tests.corpora.ingest.checking import check

GOOD = pairs(3)
USER = {"role": "user", "content": "q"}
ANSWER = {"role": "assistant", "content": "a"}


def chat(*messages: object) -> bytes:
    return jsonl({"messages": [USER, ANSWER]}, {"messages": list(messages)})


def parquet(columns: dict[str, Any]) -> bytes:
    return parquet_table(pa.table(columns))


FILES = {
    "empty": (b"", (0, "", "dataset:empty_file")),
    "only a byte order mark and blanks": (b"\xef\xbb\xbf \r\n\n", (0, "", "dataset:empty_file")),
    "a header without rows": (b"prompt,completion\n", (0, "", "dataset:empty_file")),
    "one row": (pairs(1), (0, "", "dataset:too_few_rows")),
    "prose": (b"Dear all.\nPlease find enclosed", (1, "", "dataset:not_a_dataset")),
    "an image": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", (0, "", "dataset:not_a_dataset")),
    "gzip in gzip": (gzip.compress(gzip.compress(GOOD)), (0, "", "dataset:not_a_dataset")),
    "a gzip file cut short": (gzip.compress(GOOD)[:-9], (0, "", "dataset:broken_archive")),
    "a damaged gzip file": (gzip.compress(GOOD)[:10] + b"\xff" * 40, (0, "", "dataset:broken_archive")),
    "a gzip file with more behind it": (gzip.compress(GOOD) + b"x", (0, "", "dataset:broken_archive")),
    "an empty gzip file": (gzip.compress(b""), (0, "", "dataset:empty_file")),
    "a broken line in a gzip file": (gzip.compress(GOOD + b"{\n"), (4, "", "dataset:broken_line")),
    "a damaged zip archive": (b"PK\x03\x04\x14\0", (0, "", "dataset:broken_archive")),
    "one JSON list cut short": (
        b'[{"prompt": "q", "completion": "a"},\n {"prompt": "r", "completion": "a"}\n',
        (3, "", "dataset:broken_file"),
    ),
    "a list among rows": (b'["q", "a"]\n' + GOOD, (1, "", "data_type")),
    "a broken first line": (b"q\n" + GOOD, (1, "", "dataset:broken_line")),
    "a CSV header of no encoding": (b"Gr\xf6\xdfe;Antwort\nq;\x81\n", (1, "", "dataset:encoding")),
    "one JSON list of texts": (b'["q", "a"]', (1, "", "dataset:not_a_dataset")),
    "one JSON list of one row": (b'[{"prompt": "q", "completion": "a"}]', (0, "", "dataset:too_few_rows")),
    "an empty JSON list": (b"[]", (0, "", "dataset:empty_file")),
    "UTF-32": (GOOD.decode().encode("utf-32"), (0, "", "dataset:encoding")),
    "half a character of UTF-16": (GOOD.decode().encode("utf-16")[:-1], (3, "", "dataset:encoding")),
    "some UTF-8 and some other text": (GOOD + "é\n".encode() + b"\xe9\n", (4, "", "dataset:broken_line")),
    "bytes of no encoding": (GOOD + b'{"prompt": "\x81", "completion": "a"}', (4, "", "dataset:encoding")),
    "a broken line": (GOOD + b'{"prompt": "q", "compl\n' + GOOD, (4, "", "dataset:broken_line")),
    "a truncated file": (GOOD[:-9], (3, "", "dataset:broken_line")),
    "a row over two lines": (GOOD + b'{"prompt": "q",\n"completion": "a"}\n', (4, "", "dataset:broken_line")),
    "NaN": (GOOD + b'{"prompt": NaN, "completion": "a"}', (4, "", "dataset:broken_line")),
    "a number without end": (GOOD + b'{"prompt": %s}' % (b"9" * 5000), (4, "", "dataset:broken_line")),
    "deep nesting": (GOOD + b"[" * 200_000, (4, "", "dataset:broken_line")),
    "a key twice": (GOOD + b'{"prompt": "q", "prompt": "r"}', (4, "prompt", "dataset:duplicate_key")),
    "a lone surrogate": (GOOD + rb'{"prompt": "\ud800", "completion": "a"}', (4, "prompt", "dataset:encoding")),
    "NUL": (GOOD + rb'{"prompt": "\u0000", "completion": "a"}', (4, "prompt", "dataset:nul_character")),
    "a row that is a list": (GOOD + b"[1]\n", (4, "", "data_type")),
    "no known field": (jsonl({"topic": "q", "remark": "a"}), (1, "messages", "missing_messages_list")),
    "a missing field": (GOOD + jsonl({"prompt": "q"}), (4, "completion", "dataset:missing_field")),
    "a first row without its answer": (jsonl({"prompt": "q"}), (1, "completion", "dataset:missing_field")),
    "an empty field": (GOOD + jsonl({"prompt": " ", "completion": "a"}), (4, "prompt", "dataset:missing_field")),
    "a number for a text": (GOOD + jsonl({"prompt": 1, "completion": "a"}), (4, "prompt", "data_type")),
    "mixed layouts": (GOOD + jsonl({"messages": [USER, ANSWER]}), (4, "prompt", "dataset:missing_field")),
    "messages left out": (chat(USER, ANSWER) + jsonl({"prompt": "q"}), (3, "messages", "missing_messages_list")),
    "messages that are text": (jsonl({"messages": "hello"}), (1, "messages", "data_type")),
    "a turn that is text": (chat("hello"), (2, "messages[0]", "data_type")),
    "a turn without a role": (chat({"content": "q"}, ANSWER), (2, "messages[0].role", "message_missing_key")),
    "a turn without content": (chat(USER, {"role": "assistant"}), (2, "messages[1].content", "message_missing_key")),
    "an empty turn": (chat({"role": "user", "content": ""}, ANSWER), (2, "messages[0].content", "missing_content")),
    "an unknown role": (
        chat({"role": "narrator", "content": "q"}, ANSWER),
        (2, "messages[0].role", "unrecognized_role"),
    ),
    "a role that is a list": (chat({"role": [], "content": "q"}, ANSWER), (2, "messages[0].role", "unrecognized_role")),
    "a tool call": (chat({**USER, "tool_calls": [1]}), (2, "messages[0].tool_calls", "dataset:tools")),
    "no answer": (chat(USER), (2, "messages", "example_missing_assistant_message")),
    "no turns": (chat(), (2, "messages", "example_missing_assistant_message")),
    "the answer not last": (chat(USER, ANSWER, USER), (2, "messages[2].role", "dataset:answer_not_last")),
    "no prompt": (chat(ANSWER), (2, "messages", "dataset:missing_prompt")),
    "an unknown split": (GOOD + pairs(1, split="later"), (4, "split", "dataset:unknown_split")),
    "nothing to train on": (pairs(3, split="test"), (0, "split", "dataset:no_train_rows")),
    "a label that is a text": (GOOD + pairs(1, label="x" * 81), (4, "label", "data_type")),
    "a label that is a list": (GOOD + pairs(1, label=["x"]), (4, "label", "data_type")),
    "a CSV with other columns": (b"topic,remark\nq,a\n", (1, "messages", "dataset:missing_field")),
    "a CSV without its answers": (b"prompt,label\nq,x\n", (1, "completion", "dataset:missing_field")),
    "a CSV with a column twice": (b"prompt,completion,Prompt\nq,a,r\n", (1, "prompt", "dataset:duplicate_key")),
    "a CSV row too wide": (b"prompt,completion\nq,a\nq,a,b\n", (3, "", "dataset:broken_line")),
    "a CSV cell left empty": (b"prompt,completion\nq,a\nq,\n", (3, "completion", "dataset:missing_field")),
    "a CSV quote never closed": (b'prompt,completion\nq,a\n"q,a\nq,a\n', (3, "", "dataset:broken_line")),
    "a CSV of no encoding": (b"prompt,completion\nq,a\n\x81,a\n", (3, "", "dataset:encoding")),
    "a Parquet cut short": (parquet({"prompt": ["q"], "completion": ["a"]})[:-9], (0, "", "dataset:broken_file")),
    "a Parquet with other columns": (parquet({"question": ["q"]}), (0, "messages", "dataset:missing_field")),
    "a Parquet with a column twice": (
        parquet_table(pa.table([["q"], ["a"], ["b"]], names=["prompt", "completion", "completion"])),
        (0, "completion", "dataset:duplicate_key"),
    ),
    "a Parquet with times as labels": (
        parquet({"prompt": ["q"], "completion": ["a"], "label": pa.array([1], pa.timestamp("ns"))}),
        (1, "label", "data_type"),
    ),
    "a Parquet without an answer": (
        parquet({"prompt": ["q", "r"], "completion": ["a", None]}),
        (2, "completion", "dataset:missing_field"),
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_is_refused_with_its_place_and_code(name: str, tmp_path: Path) -> None:
    content, first = FILES[name]
    outcome = check(content, tmp_path / "run")
    assert not outcome.report.accepted
    assert outcome.first == first
    assert outcome.report.problem_count == len(outcome.report.problems)


def test_a_line_over_the_limit_is_skipped_without_being_held(tmp_path: Path) -> None:
    long = b'{"prompt": "%s", "completion": "a"}\n' % (b"x" * 200_000)
    outcome = check(GOOD + long + long + pairs(1), tmp_path / "run", max_row_bytes=100_000)
    assert [problem.line for problem in outcome.report.problems] == [4, 5]
    assert outcome.report.problems_by_code == {"dataset:row_too_long": 2}


@pytest.mark.parametrize("other", [b"", b"{}\n"], ids=["by the block", "line by line"])
def test_a_line_break_of_two_characters_is_no_part_of_the_row(other: bytes, tmp_path: Path) -> None:
    row = b'{"prompt": "%s", "completion": "a"}' % (rb"\u0071" * 100)
    outcome = check(GOOD + row + b"\r\n" + other, tmp_path / "run", max_row_bytes=len(row))
    assert "dataset:row_too_long" not in outcome.report.problems_by_code


def test_a_csv_row_over_the_limit_is_refused(tmp_path: Path) -> None:
    content = b'prompt,completion\n"%s",a\n' % (b"x" * 200)
    assert check(content, tmp_path / "run", max_row_bytes=100).first == (2, "", "dataset:row_too_long")


def test_a_quoted_text_that_swallows_the_file_is_refused_at_its_beginning(tmp_path: Path) -> None:
    content = b'prompt,completion\nq,a\n"q,a\n' + b"q,a\n" * 200
    assert check(content, tmp_path / "run", max_row_bytes=300).first == (3, "", "dataset:broken_line")


def test_too_many_slices_are_refused(tmp_path: Path) -> None:
    rows = [{"prompt": f"q{i}", "completion": "a", "slice": f"s{i}"} for i in range(52)]
    outcome = check(jsonl(*rows), tmp_path / "run")
    assert outcome.first == (51, "slice", "dataset:too_many_slices")
    assert outcome.report.problem_count == 2


def test_only_the_first_problems_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    outcome = check(jsonl(*({"prompt": f"q{i}"} for i in range(500))) + GOOD, tmp_path / "run")
    assert (len(outcome.report.problems), outcome.report.problem_count) == (200, 500)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (pa.array([1]), "a number"),
        (pa.array([True]), "true or false"),
        (pa.array([1], pa.timestamp("us")), "a date or time"),
    ],
)
def test_what_should_be_a_text_is_told_by_its_kind(value: pa.Array, kind: str, tmp_path: Path) -> None:
    outcome = check(parquet({"prompt": value, "completion": ["a"]}), tmp_path / "run")
    assert kind in outcome.report.problems[0].text
    assert outcome.first == (1, "prompt", "data_type")


def test_a_binary_column_that_is_no_text_is_told(tmp_path: Path) -> None:
    outcome = check(parquet({"prompt": [b"q", b"\xff"], "completion": ["a", "b"]}), tmp_path / "run")
    assert outcome.first == (0, "prompt", "dataset:encoding")
    assert "binary data" in outcome.report.problems[0].text


def test_what_ends_the_reading_is_among_the_problems_however_many_there_are(tmp_path: Path) -> None:
    report = check(b"prompt,completion\nr,b\ns,c\n" + b"q,\n" * 250 + b'"q,a\n', tmp_path / "run").report
    assert (len(report.problems), report.problem_count) == (200, 251)
    assert [problem.line for problem in report.problems if problem.stops] == [254]


def test_problem_texts_quote_customers_text_shortly(tmp_path: Path) -> None:
    content = jsonl({"messages": [{"role": "r" * 10_000, "content": "q"}]})
    assert len(check(content, tmp_path / "run").report.problems[0].text) < 200
