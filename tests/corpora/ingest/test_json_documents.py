"""A JSON document gives exactly the rows of its JSON Lines, whichever way it is written."""

import io
import json
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.ingest.contracts import IngestSpec
from corpora.ingest.formats import json_documents
from corpora.ingest.formats.json_documents import Kind, kind_of, write_rows
from corpora.ingest.inspection import inspect_file
from corpora.ingest.problems import FileProblem
from tests.corpora.conftest import pairs
from tests.corpora.corpus import writing
from tests.corpora.ingest.checking import check
from tests.examples import examples

Write = Callable[[list[Any]], str]


def listed(rows: list[Any]) -> str:
    return json.dumps(rows, ensure_ascii=False)


def pretty_list(rows: list[Any]) -> str:
    return json.dumps(rows, indent=4)


def wrapped(rows: list[Any]) -> str:
    return json.dumps({"version": 1, "tags": ["a", {"b": []}], "data": rows, "empty": [], "note": None})


def wrapped_under_another_name(rows: list[Any]) -> str:
    return json.dumps({"Zeilen ü": rows, "info": {"by": "us"}}, indent=1)


def pretty(rows: list[Any]) -> str:
    return "\n".join(json.dumps(row, indent=2, ensure_ascii=False) for row in rows)


def pretty_without_indent(rows: list[Any]) -> str:
    return ",\n".join(json.dumps(row, indent=0) for row in rows)


def lines_with_commas(rows: list[Any]) -> str:
    return "".join(json.dumps(row) + ",\r\n" for row in rows)


def list_by_the_line(rows: list[Any]) -> str:
    return "\ufeff[\n" + ",\n".join(map(json.dumps, rows)) + ",\n]\n"


WRITERS: dict[str, Write] = {
    writer.__name__: writer
    for writer in (
        listed, pretty_list, wrapped, wrapped_under_another_name, pretty, pretty_without_indent, lines_with_commas,
        list_by_the_line,
    )
}  # fmt: skip


@pytest.mark.parametrize("layout", writing.LAYOUTS)
@pytest.mark.parametrize("name", WRITERS)
def test_a_document_gives_the_rows_of_its_lines(name: str, layout: str, tmp_path: Path) -> None:
    rows = writing.rows(Random(name), layout, 30)
    lines = check(writing.jsonl(rows), tmp_path / "lines")
    document = check(WRITERS[name](rows).encode(), tmp_path / "document")
    assert lines.report.accepted
    assert (document.report.file_format, document.report.position) == ("json", "row")
    assert (document.train, document.test) == (lines.train, lines.test)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
json_rows = st.lists(st.dictionaries(st.text(max_size=8), json_values, max_size=4), min_size=1, max_size=5)
KINDS: dict[str, Kind] = {
    "listed": "list", "pretty_list": "list", "pretty": "objects", "pretty_without_indent": "objects",
    "lines_with_commas": "objects", "list_by_the_line": "list",
}  # fmt: skip


@settings(max_examples=examples(300), deadline=None)
@given(rows=json_rows, name=st.sampled_from(list(KINDS)), chunk=st.integers(3, 40))
def test_each_row_is_handed_on_as_it_is(rows: list[Any], name: str, chunk: int) -> None:
    content = WRITERS[name](rows).encode()
    target = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_documents, "CHUNK_BYTES", chunk)
        written = write_rows(io.BytesIO(content), KINDS[name], target)
    lines = target.getvalue().splitlines(keepends=True)
    assert written.rows == len(rows) == target.getvalue().count(b"\n")
    assert [json.loads(line) for line in target.getvalue().split(b"\n")[:-1]] == rows
    assert all(line.endswith((b"\n", b"\r")) or b"\r" in line for line in lines)


@settings(max_examples=examples(300), deadline=None)
@given(content=st.text('[]{}",:\\ \n1a', max_size=60).map(str.encode), chunk=st.integers(1, 9), data=st.data())
def test_rubbish_is_refused_or_read_whatever_the_chunks(content: bytes, chunk: int, data: st.DataObject) -> None:
    kind: Kind = data.draw(st.sampled_from(("list", "wrapped", "objects")))

    def written(size: int) -> tuple[Any, ...]:
        target = io.BytesIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(json_documents, "CHUNK_BYTES", size)
            try:
                rows = write_rows(io.BytesIO(content), kind, target)
            except FileProblem as problem:
                return problem.code, problem.line, problem.text
        return *rows, [json.loads(line) if _is_json(line) else None for line in target.getvalue().split(b"\n")]

    assert written(chunk) == written(1 << 18)


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def test_problems_name_the_row(tmp_path: Path) -> None:
    rows = [{"prompt": f"q{number}", "completion": "a"} for number in range(20)]
    rows[16] = {"prompt": "q", "completion": ""}
    outcome = check(pretty_list(rows).encode(), tmp_path / "a")
    assert outcome.first == (17, "completion", "dataset:missing_field")
    assert outcome.report.position == "row"


def test_a_repeated_key_is_still_found(tmp_path: Path) -> None:
    content = b'[{"prompt": "q",\n "prompt": "r", "completion": "a"}, {"prompt": "q", "completion": "a"}]'
    assert check(content, tmp_path / "a").first == (1, "prompt", "dataset:duplicate_key")


def test_what_is_beside_the_rows_is_told(tmp_path: Path) -> None:
    outcome = check(wrapped(writing.rows(Random(1), "prompt", 5)).encode(), tmp_path / "a")
    notices = {warning.code: warning.text for warning in outcome.report.warnings}
    assert notices["dataset:beside_rows"] == "Beside the list of rows, not used: version, tags, empty, note."


def test_the_usual_name_goes_before_another_list(tmp_path: Path) -> None:
    rows = writing.rows(Random(1), "prompt", 5)
    content = json.dumps({"columns": [{"name": "prompt"}], "rows": rows, "errors": [{"x": 1}]}).encode()
    assert check(content, tmp_path / "a").report.rows == 5


REFUSED: dict[str, tuple[bytes, tuple[int, str], str]] = {
    "cut in a row": (b'[{"prompt": "q",\n "compl', (2, "dataset:broken_file"), "line 2, character 8"),
    "cut between rows": (b'[{"prompt": "q"},\n', (2, "dataset:broken_file"), "incomplete"),
    "no comma": (b'[{"prompt": "q"}\n  {"prompt": "r"}]', (2, "dataset:broken_file"), "comma is missing"),
    "a wrong bracket": (b'[{"prompt": "q"],\n{"prompt": "r"}]', (1, "dataset:broken_file"), "character 16"),
    "a line break in a text": (b'[\n{"prompt": "q\n"}\n]', (2, "dataset:broken_file"), "not closed on its line"),
    "more behind the list": (b'[{"prompt": "q"}]\n[{"prompt": "r"}]', (2, "dataset:broken_file"), "more text follows"),
    "text between rows": (b'{"prompt": "q"},\nand\n{"prompt": "r"}', (2, "dataset:broken_file"), "other text"),
    "deep nesting": (b'[{"a": ' + b"[" * 5_000, (1, "dataset:broken_file"), "nested too deeply"),
    "two lists of rows": (
        b'{"train": [{"prompt": "q"}],\n"data": [{"prompt": "r"}]}',
        (2, "dataset:not_a_dataset"),
        "“train” and “data”",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_broken_document_is_refused_with_its_place(name: str, tmp_path: Path) -> None:
    content, place, words = REFUSED[name]
    problem = check(content, tmp_path / "a").report.problems[0]
    assert (problem.line, problem.code) == place
    assert words in problem.text.replace("Line", "line")


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_lines_stay_lines(end: bytes, tmp_path: Path) -> None:
    """Also where one of them is broken, or the first is a list."""
    for number, content in enumerate(
        (
            pairs(3).rstrip() + end,
            b'{"prompt": "q", "completion": "a"\n' + pairs(3),
            b'{"prompt": "q", "compl\n' + pairs(3),
            b'["a"]\n' + pairs(3),
            writing.jsonl(writing.rows(Random(5), "chat", 1)).strip() + end,
        )
    ):
        assert check(content, tmp_path / str(number)).report.file_format == "jsonl"


def test_a_row_of_turns_is_nothing_around_rows() -> None:
    for turn in ({"role": "user", "content": "q"}, {"from": "human", "value": "q"}):
        row = json.dumps({"id": 1, "turns": [turn]}, indent=2).encode()
        assert kind_of(row, is_whole=True, is_row=lambda keys: False) == "objects"


def test_a_preview_reads_the_head_of_a_long_line(tmp_path: Path) -> None:
    rows = writing.rows(Random(4), "chat", 30_000)
    for name, content in (("list", listed(rows)), ("wrapped", json.dumps({"data": rows}))):
        folder = tmp_path / name
        folder.mkdir()
        path = folder / "upload"
        path.write_bytes(writing.pack(content.encode()) if name == "list" else content.encode())
        seen = inspect_file(path, IngestSpec(task="inspect", bytes=path.stat().st_size), scratch=folder)
        assert (seen.file_format, seen.position, seen.problems) == ("json", "row", ())
        assert [turn.content for turn in seen.rows[0].messages] == [turn["content"] for turn in rows[0]["messages"]]
        assert [left.name for left in folder.iterdir()] == ["upload"]


class Endless:
    """`first`, and then one part again and again, `size` bytes in all."""

    def __init__(self, first: bytes, part: bytes, size: int) -> None:
        self._first, self._part, self._left = first, part, size

    def read(self, size: int) -> bytes:
        first, self._first = self._first, b""
        if first:
            return first
        size = min(size, self._left)
        self._left -= size
        return (self._part * (size // len(self._part) + 1))[:size]


class Nowhere:
    def write(self, data: bytes) -> None:
        """Drop what is written."""


@pytest.mark.parametrize("part", [b"[", b'"', b" ", rb"\n", b'{"prompt": "q", "completion": ["a", {"b": "c"}]}, '])
def test_memory_does_not_grow_with_the_document(part: bytes) -> None:
    begun = time.process_time()
    for first in (b"[", b'["', b'[{"a": '):
        document: Any = Endless(first, part, 3_000_000)
        target: Any = Nowhere()
        tracemalloc.start()
        try:
            with pytest.raises(FileProblem):
                write_rows(document, "list", target)
            held = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert held < 3 << 19
    assert time.process_time() - begun < 60


def test_a_row_that_is_too_long_is_left_out_by_its_number(tmp_path: Path) -> None:
    rows = [{"prompt": f"q{number}", "completion": "a" * (9_000 if number == 2 else 1)} for number in range(6)]
    outcome = check(listed(rows).encode(), tmp_path / "a", max_row_bytes=5_000, options={"bad_rows": "leave_out"})
    assert (outcome.report.rows, outcome.report.problems[0].line) == (5, 3)
