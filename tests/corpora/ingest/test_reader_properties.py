"""However a file is read, by the block or line by line, in one process or in several, it comes out the same."""

import gzip
import json
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from corpora.ingest import check as checking
from corpora.ingest.batch import Batch
from corpora.ingest.columnar.json_rows import JsonRows
from corpora.ingest.columnar.parquet_rows import ParquetRows
from corpora.ingest.columnar.table_rows import TableRows
from corpora.ingest.contracts import Context, IngestSpec, Options
from corpora.ingest.formats import blocks, jsonl
from corpora.ingest.formats.blocks import LineBlocks
from corpora.ingest.formats.jsonl import parse_line
from corpora.ingest.formats.source import Source
from corpora.ingest.layouts.known import LAYOUTS as KNOWN_LAYOUTS
from corpora.ingest.problems import RowProblem
from corpora.ingest.reading.pool import AHEAD, Pool
from corpora.ingest.reading.reader import Reader
from corpora.ingest.texts.near import Pair, near_pairs
from lorakit.errors import RunError
from tests.corpora.corpus import bad_rows, writing
from tests.corpora.corpus.files import VARIANTS, bad_file
from tests.corpora.corpus.good_files import TRICKY
from tests.corpora.ingest.checking import Outcome, check
from tests.examples import examples

LAYOUTS = {
    "chat": ("messages",),
    "ShareGPT": ("messages",),
    "prompt and completion": ("prompt", "completion"),
    "instruction": ("instruction", "input", "output"),
    "classification": ("text", "label"),
}
TURNS = {
    "chat": ("role", "content", ("user", "system", "assistant")),
    "ShareGPT": ("from", "value", ("human", "system", "gpt")),
}
MORE_OF_CONVERSATIONS = (
    ("system", '"Be brief."'),
    ("system", '""'),
    ("tools", '"[]"'),
    ("tools", '[{"name": "track"}]'),
)
PERSONAL = ("ann@example.com", "+49 30 1234567", "4111 1111 1111 1111", "DE89370400440532013000", "é@example.com")
GAPS = ("", "", " ", "\t", "\r", "  ")

plain = st.text('abé🙂 .,:{}[]\\"/', min_size=1, max_size=20).filter(str.strip)
odd = st.sampled_from(("", " ", "\0", "\ud800", "\n", "\r\n", "\x85", *TRICKY)) | st.text(max_size=12)
good_texts = st.one_of(plain, plain, st.sampled_from(PERSONAL), st.sampled_from(TRICKY))


@st.composite
def written_text(draw: st.DrawFn, value: str) -> str:
    """A JSON string, with what need not be escaped escaped or not."""
    style = draw(st.sampled_from(("ascii", "utf-8", "utf-8", "slashes", "all")))
    if style == "all":
        units = value.encode("utf-16-be", "surrogatepass").hex()
        return '"' + "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)) + '"'
    text = json.dumps(value, ensure_ascii=style != "utf-8" or not value.isprintable())
    return text.replace("/", r"\/") if style == "slashes" else text


@st.composite
def objects(draw: st.DrawFn, pairs: list[tuple[str, str]], *, right: bool) -> str:
    """A JSON object of keys and written values in some order.

    If it need not be `right`, a key may be missing or unknown; one that is there twice is easily overlooked.
    """
    faults = ("none",) * 30 if right else ("none", "none", "missing", "unknown", "null")
    fault = draw(st.sampled_from((*faults, "twice")))
    chosen = list(draw(st.permutations(pairs)))
    if fault == "missing":
        chosen.pop()
    elif fault != "none":
        name, value = chosen[0]
        chosen.append((name, value) if fault == "twice" else ("note", "null" if fault == "null" else value))
    gaps = st.sampled_from(GAPS)
    parts = []
    for name, value in chosen:
        key = draw(written_text(name))
        before = "" if right else draw(gaps)
        parts.append(f"{draw(gaps)}{key}{before}:{draw(gaps)}{value}{draw(gaps)}")
    return "{" + ",".join(parts) + "}"


@st.composite
def values(draw: st.DrawFn, *, right: bool) -> str:
    other = st.sampled_from(("1", "null", "[]", "{}", "NaN", "true", '"unclosed'))
    if right:
        return draw(written_text(draw(good_texts)))
    return draw(written_text(draw(good_texts | odd))) if draw(st.integers(0, 5)) else draw(other)


@st.composite
def rows(draw: st.DrawFn, layout: str, *, right: bool) -> str:
    if layout not in TURNS:
        names = LAYOUTS[layout] if draw(st.booleans()) else (LAYOUTS[layout][0], LAYOUTS[layout][-1])
        return draw(objects([(name, draw(values(right=right))) for name in names], right=right))
    role_key, content_key, known = TURNS[layout]
    roles = draw(st.lists(st.sampled_from(known if right else (*known, "tool")), max_size=2))
    turns = []
    for role in (*roles, known[0], known[2]) if right or draw(st.booleans()) else roles:
        pairs = [(role_key, draw(written_text(role))), (content_key, draw(values(right=right)))]
        if not draw(st.integers(0, 9)):
            pairs.append(
                draw(st.sampled_from((("weight", "0"), ("weight", "1"), ("name", '"Ann"'), ("thinking", '"so"'))))
            )
        turns.append(draw(objects(pairs, right=right)))
    more = [] if draw(st.integers(0, 5)) else [draw(st.sampled_from(MORE_OF_CONVERSATIONS))]
    return draw(objects([("messages", f"[{','.join(turns)}]"), *more], right=right))


@st.composite
def stretches(draw: st.DrawFn, layout: str) -> bytes:
    """Whole lines of JSON Lines: all of them right, or with some that are broken, blank, or two on a line."""
    right = draw(st.sampled_from((True, True, False)))
    breaks = st.sampled_from(("\n", "\r\n") if right else ("\n", "\n", "\r\n", "\n\n", " \n", " ", "", "\n \r\n"))
    parts: list[str] = []
    for _ in range(draw(st.integers(1, 5))):
        line = draw(rows(layout, right=right or draw(st.booleans())))
        if not right and draw(st.integers(0, 9)) == 9:
            line = line[: draw(st.integers(0, len(line)))]
        parts += (line, draw(breaks))
    encoding = "utf-8" if right or draw(st.integers(0, 9)) else "latin-1"
    return "".join(parts).encode(encoding, "surrogatepass" if encoding == "utf-8" else "replace")


specs = st.builds(
    IngestSpec,
    bytes=st.just(0),
    options=st.builds(
        Options, personal_data=st.sampled_from(("keep", "mask")), over_long=st.sampled_from(("keep", "leave_out"))
    ),
    context=st.none() | st.integers(8, 60).map(lambda tokens: Context(name="base", tokens=tokens)),
    max_row_bytes=st.sampled_from((150, 300, 1 << 20, 1 << 20)),
)


def described(batch: Batch) -> dict[str, Any]:
    """Everything a batch says, to compare."""
    arrays = ("ends", "lines", "prompts", "places", "prompt_lengths", "answer_lengths", "turns")
    return {
        "text": bytes(batch.text),
        "rows": batch.rows.tobytes(),
        "marks": [batch.marks.kinds[kind] for kind in batch.marks.rows.tolist()] if batch.marks else None,
        "findings": sorted(batch.findings, key=lambda finding: finding.line),
        "unused": batch.unused,
        "line_count": batch.line_count,
        **{name: getattr(batch, name).tolist() for name in arrays},
    }


def reader_of(layout: str, spec: IngestSpec = IngestSpec(bytes=0)) -> Reader:  # noqa: B008
    """A reader of JSON Lines."""
    source = Source(
        file_format="jsonl",
        layout=next(known for known in KNOWN_LAYOUTS if known.name == layout),
        columns={},
        blocks=lambda ahead: pytest.fail("Blocks are given."),
        records=lambda offset, lines: pytest.fail("Blocks are given."),
        fraction=lambda: 0.0,
    )
    return Reader(spec, source)


def line_by_line(layout: str, spec: IngestSpec) -> Reader:
    """A reader that does not know the types of a row's fields."""
    reader = reader_of(layout, spec)
    assert isinstance(reader._rows, JsonRows)
    reader._rows._decoder = None
    return reader


def by_column(reader: Reader, block: bytes) -> int:
    """How many rows of a block are read by the column."""
    assert reader._by_column is not None
    found = reader._rows.find(memoryview(block))
    assert found is not None
    return len(reader._by_column.read(found.columns, line_count=0)[0]) if found.columns else 0


def read(reader: Reader, block: bytes) -> Batch:
    batch = reader.block(memoryview(block))
    assert batch is not None
    return batch


@settings(max_examples=examples(400), deadline=None)
@given(data=st.data(), layout=st.sampled_from(list(LAYOUTS)), spec=specs)
def test_a_block_reads_as_its_lines_do(data: st.DataObject, layout: str, spec: IngestSpec) -> None:
    block = data.draw(stretches(layout))
    reader = reader_of(layout, spec)
    event(f"rows by the column: {min(by_column(reader, block), 3)}")
    assert described(read(reader, block)) == described(read(line_by_line(layout, spec), block))


@pytest.mark.parametrize("name", bad_rows.CLASSES)
def test_one_bad_row_among_plain_ones_is_not_overlooked(name: str) -> None:
    for variant in range(VARIANTS):
        file = bad_file(name, variant)
        block = gzip.decompress(file.content) if file.content.startswith(b"\x1f\x8b") else file.content
        spec = IngestSpec(bytes=0, **file.limits)
        for layout in LAYOUTS:
            expected = described(read(line_by_line(layout, spec), block))
            assert described(read(reader_of(layout, spec), block)) == expected


MORE: dict[str, Any] = {"id": 7, "metadata": {"source": "support", "tags": ["a", 1.5, None]}, "split": "train"}


@pytest.mark.parametrize("more", [{}, MORE, MORE | {"slice": "north", "label": 3, "when": "2026-01-01"}])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_usual_rows_are_read_by_the_column(layout: str, more: dict[str, Any]) -> None:
    named = {"prompt and completion": "prompt", "ShareGPT": "chat"}.get(layout, layout)
    written = writing.rows(Random(1), named, 50)
    if layout == "ShareGPT":
        said = {"user": "human", "system": "system", "assistant": "gpt"}
        for row in written:
            row["messages"] = [{"from": said[turn["role"]], "value": turn["content"]} for turn in row["messages"]]
    block = writing.jsonl([more | row for row in written])
    assert by_column(reader_of(layout), block) == 50


def test_a_key_that_is_there_twice_is_seen_among_columns_of_no_use() -> None:
    rows = [{"id": 1, **row} for row in writing.rows(Random(1), "prompt", 3)]
    block = writing.jsonl(rows)
    for twice in (b'{"id": 2, ', b'{"prompt": "x", ', b'{"note": {"a": 1, "a": 2}, '):
        damaged = block.replace(b"{", twice, 1)
        batch = read(reader_of("prompt and completion"), damaged)
        assert [(finding.line, finding.code) for finding in batch.findings] == [(1, "dataset:duplicate_key")]
        assert len(batch) == 2


def parsed(parse: Callable[[bytes], Any], line: bytes) -> Any:
    try:
        return parse(line)
    except RowProblem as problem:
        return problem.code, problem.field, problem.text


@settings(max_examples=examples(400), deadline=None)
@given(data=st.data(), layout=st.sampled_from(list(LAYOUTS)))
def test_a_line_reads_as_the_standard_library_reads_it(data: st.DataObject, layout: str) -> None:
    for line in data.draw(stretches(layout)).split(b"\n"):
        assert parsed(parse_line, line) == parsed(jsonl._parse_slowly, line)


QUOTED = ("", "", ' "so" ', '5" pipe', "two\nlines", "\r\n", "a,b", 'it is "', "ann@example.com", "\n\n")


def in_quotes(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


def messy_table(rng: Random, count: int) -> bytes:
    """Rows with quotation marks and line breaks in odd places, with marks, and some of the wrong width."""
    lines = ["id,text,label,split,topic"]
    for number in range(count):
        words = f"question {rng.choice((number, number // 2))} {rng.choice(QUOTED)}"
        cells = [str(number), words, rng.choice(("yes", "no", "")), rng.choice(("train", "test")), f"t{number % 7}"]
        quoted = [
            f'"{cell.replace(chr(34), chr(34) * 2)}"' if "\n" in cell or rng.random() < 0.5 else cell for cell in cells
        ]
        lines.append(",".join(quoted if rng.random() < 0.98 else quoted[:-1]) + rng.choice(("", "", "", "\r", "\n")))
    return "\n".join(lines).encode()


def messy_parquet(rng: Random, count: int) -> bytes:
    """Conversations, some of them without an answer or with an empty one, and marks of several types."""
    rows = writing.rows(rng, "chat", count)
    for number, row in enumerate(rows):
        row |= {"label": number % 5, "slice": rng.choice(("a", "b", None)), "note": "x"}
        if rng.random() < 0.03:
            row["messages"][-1]["content"] = rng.choice(("", None, "\0", "ann@example.com"))
        if rng.random() < 0.01:
            row["messages"].pop()
    return writing.parquet(rows)


@pytest.mark.parametrize("seed", range(6))
def test_a_table_or_parquet_file_reads_by_the_block_as_row_by_row(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = (messy_table, messy_parquet)[seed % 2](Random(seed), 600)
    options = {"bad_rows": "leave_out", "columns": {"group": "topic"} if seed == 4 else {}}
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 2_000)
    by_block = check(content, tmp_path / "block", options=options)
    for rows in (TableRows, ParquetRows):
        monkeypatch.setattr(rows, "find", lambda self, data: None)
    by_row = check(content, tmp_path / "row", options=options)
    assert by_block.report == by_row.report
    assert by_block.report.rows > 100
    assert files(tmp_path / "block") == files(tmp_path / "row")


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_tables_and_parquet_files_are_read_by_the_column(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"id": number, **row} for number, row in enumerate(writing.rows(Random(1), "classification", 300))]
    content = writing.table(rows, ",") if name == "csv" else writing.parquet(rows)
    monkeypatch.setattr(Reader, "_add", lambda *row: pytest.fail("A row was read by itself."))
    assert check(content, tmp_path).report.rows == 300


def messy(rng: Random, count: int) -> bytes:
    """Rows, some of them twice, contradictory, personal, too long for the limit or for the pipe, or broken."""
    lines = []
    for number in range(count):
        row = writing.row(rng, "chat", rng.choice((number, number // 2)))
        row["messages"][1]["content"] += rng.choice(("", "", *PERSONAL))
        row["messages"][0]["content"] *= rng.choice((1, 1, 1, 30, 200))
        line = writing.line(row)
        lines.append(rng.choice((line,) * 20 + (b"\n", line[:-9] + b"\n", line.replace(b": ", b" :"))))
    return b"".join(lines)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "output").iterdir()}


@pytest.mark.parametrize("seed", range(4))
def test_several_processes_leave_what_one_does(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = messy(Random(seed), 1_500)
    options = {"bad_rows": "leave_out", "leaks": "leave_out", "personal_data": ("keep", "mask")[seed % 2]}

    def run(name: str) -> Outcome:
        return check(content, tmp_path / name, options=options, max_row_bytes=3_000)

    monkeypatch.setattr(blocks, "BLOCK_BYTES", 4_000)
    one = run("one")
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    # What a block's rows take does not always fit into the shared memory.
    monkeypatch.setattr(checking, "BLOCK_BYTES", 1_500)
    monkeypatch.setattr(checking, "PARALLEL_FROM_BYTES", 1)
    several = run("several")
    assert one.report.accepted
    assert one.report.rows > 500
    assert {"dataset:row_too_long", "dataset:broken_line"} <= set(one.report.problems_by_code)
    assert several.report == one.report
    assert files(tmp_path / "several") == files(tmp_path / "one")


def test_a_reader_that_is_killed_ends_the_check_for_another_try(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(writing.jsonl(writing.rows(Random(2), "chat", 40_000)))
    reader = reader_of("chat")
    with path.open("rb") as file:
        size = path.stat().st_size
        with closing(LineBlocks(file.fileno(), size, max_row_bytes=10_000, ahead=AHEAD * 2)) as blocks:
            pool = Pool(reader, blocks, processes=2, text_bytes=1 << 21)
            try:
                batches = pool.batches()
                next(batches)
                pool._processes[1].kill()
                with pytest.raises(RunError) as caught:
                    list(batches)
            finally:
                pool.close()
    assert (caught.value.code, caught.value.temporary) == ("platform:reader_lost", True)
    assert not any(process.is_alive() for process in pool._processes)


WORDS = [f"word{number}" for number in range(5_000)]


def sentence(rng: Random, words: int) -> list[str]:
    return rng.choices(WORDS, k=words)


@pytest.mark.parametrize("seed", range(5))
def test_near_duplicates_are_found_and_others_are_not(seed: int) -> None:
    rng = Random(seed)
    originals = [sentence(rng, rng.randint(50, 300)) for _ in range(150)]
    changed = []
    for words in originals:
        copy = list(words)
        copy[rng.randrange(len(copy))] = "changed"
        changed.append(copy)
    # Case, punctuation and white space make no difference.
    texts = [" ".join(words) for words in originals] + [",\n".join(words).upper() for words in changed]
    assert near_pairs(texts) == [Pair(number, number + 150) for number in range(150)]


def test_what_is_quite_the_same_is_told_elsewhere() -> None:
    text = " ".join(sentence(Random(3), 60))
    assert near_pairs([text, text]) == []
    assert near_pairs([text, text, text.upper()]) == [Pair(0, 2)]


def test_short_texts_and_texts_with_half_the_words_in_common_are_left_alone() -> None:
    rng = Random(9)
    common = sentence(rng, 60)
    texts = [" ".join(common + sentence(rng, 60)) for _ in range(50)]
    assert near_pairs([*texts, *["yes please do that"] * 50]) == []
