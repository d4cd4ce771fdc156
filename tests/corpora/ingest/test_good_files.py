"""What the check accepts reads back as it was written, in every format and layout."""

import csv
import gzip
import io
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, event, example, given, settings
from hypothesis import strategies as st

from corpora.ingest.formats.sniff import FOREIGN
from tests.corpora.conftest import jsonl, pairs
from tests.corpora.ingest.checking import check
from tests.examples import examples

# One folder serves all examples of a test: each gets a new one inside it.
SHARED = settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

MOST_HELD = 8 << 20
lengths = st.sampled_from((10, 9_000, 11_000, 16 << 20))
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60).filter(
    str.strip
)
conversations = st.tuples(
    st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), texts), max_size=3), texts, texts
).map(lambda parts: [*parts[0], ("user", parts[1]), ("assistant", parts[2])])


@pytest.fixture
def folders(tmp_path: Path) -> Any:
    numbers = iter(range(1_000_000))
    return lambda: tmp_path / str(next(numbers))


def turns(row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in row["messages"]]


@SHARED
@given(rows=st.lists(conversations, min_size=2, max_size=6, unique_by=lambda row: tuple(row)))
def test_conversations_in_jsonl_read_back(rows: list[Any], folders: Any) -> None:
    raw = [{"messages": [{"role": role, "content": content} for role, content in row]} for row in rows]
    outcome = check(jsonl(*raw), folders())
    assert outcome.report.accepted, outcome.report.problems
    assert sorted(turns(row) for row in outcome.rows) == sorted(rows)


@SHARED
@given(rows=st.lists(st.tuples(texts, texts), min_size=2, max_size=6, unique=True), delimiter=st.sampled_from(",;\t"))
def test_tables_read_back_with_their_line_breaks(rows: list[Any], delimiter: str, folders: Any) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("prompt", "completion"), *rows])
    outcome = check(buffer.getvalue().encode(), folders())
    assert outcome.report.accepted, outcome.report.problems
    expected = [[("user", asked), ("assistant", answer)] for asked, answer in rows]
    assert sorted(turns(row) for row in outcome.rows) == sorted(expected)


@SHARED
@given(rows=st.lists(conversations, min_size=2, max_size=6, unique_by=lambda row: tuple(row)))
def test_parquet_reads_back(rows: list[Any], folders: Any) -> None:
    raw = [[{"role": role, "content": content, "name": None} for role, content in row] for row in rows]
    buffer = io.BytesIO()
    pq.write_table(pa.table({"messages": raw, "id": list(range(len(rows)))}), buffer)
    outcome = check(buffer.getvalue(), folders())
    assert outcome.report.accepted, outcome.report.problems
    assert sorted(turns(row) for row in outcome.rows) == sorted(rows)


@settings(parent=SHARED, max_examples=examples(150))
@given(
    content=st.one_of(
        st.binary(max_size=300),
        st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.lists(
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats() | texts,
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(
                        st.sampled_from(
                            ["messages", "role", "content", "prompt", "completion", "split", "label", "x\0"]
                        ),
                        inner,
                        max_size=4,
                    )
                ),
                max_leaves=12,
            ),
            max_size=5,
        ).map(lambda rows: jsonl(*rows)),
        st.binary(max_size=200).map(lambda tail: b"PAR1" + tail + b"PAR1"),
        st.text(alphabet='ab",\r\n\t;', max_size=80).map(lambda tail: b"prompt,completion\n" + tail.encode()),
        st.tuples(st.sampled_from(FOREIGN), st.binary(max_size=50)).map(lambda parts: parts[0][0] + parts[1]),
    )
)
def test_no_file_makes_it_crash(content: bytes, folders: Any) -> None:
    report = check(content, folders()).report
    assert report.accepted == (not report.problems)
    assert all(problem.code and problem.text for problem in report.problems)
    # PostgreSQL stores neither lone surrogates, which do not encode, nor NUL.
    assert all("\0" not in problem.text + problem.field for problem in report.problems)
    report.to_json().encode()


@settings(parent=SHARED, max_examples=examples(30))
@given(
    head=st.sampled_from((b"", b"prompt,completion\n", b"text\tlabel\n", pairs(1), b"PAR1", b'{"messages": [')),
    pieces=st.lists(
        st.tuples(st.sampled_from((b"x", b'"', b"{", b"[", b",", b"\t", b"\\", b"\0", b"\xc3\xa9", b"}")), lengths),
        min_size=1,
        max_size=2,
    ),
    packed=st.booleans(),
)
def test_however_long_its_lines_are_no_file_is_held(
    head: bytes, pieces: list[tuple[bytes, int]], packed: bool, folders: Any
) -> None:
    content = head + b"\n".join(piece * (length // len(piece)) for piece, length in pieces)
    file = gzip.compress(content, 1) if packed else content
    del content
    tracemalloc.start()
    try:
        check(file, folders(), max_row_bytes=10_000)
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    event(f"held {held >> 20} MiB")
    assert held < MOST_HELD


@SHARED
@given(cut=st.integers(min_value=0, max_value=1000), flip=st.integers(min_value=0, max_value=7))
@example(cut=178, flip=7)
# pyarrow ends the process for these.
@example(cut=173, flip=2)
@example(cut=175, flip=4)
def test_a_damaged_parquet_file_never_makes_it_crash(cut: int, flip: int, folders: Any) -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"prompt": ["q", "r"], "completion": ["a", "b"]}), buffer)
    content = bytearray(buffer.getvalue())
    assume(cut < len(content))
    content[cut] ^= 1 << flip
    check(bytes(content), folders())


def test_the_three_layouts_make_conversations(tmp_path: Path) -> None:
    instruction = jsonl(
        {"instruction": "Sum up", "input": "Long text", "output": "Short"},
        {"instruction": "Greet", "input": "", "output": "Hello", "system": "Be kind"},
    )
    rows = [turns(row) for row in check(instruction, tmp_path / "a").rows]
    assert sorted(rows) == [
        [("system", "Be kind"), ("user", "Greet"), ("assistant", "Hello")],
        [("user", "Sum up\n\nLong text"), ("assistant", "Short")],
    ]


def test_a_byte_order_mark_and_blank_lines_are_no_problem(tmp_path: Path) -> None:
    outcome = check(b"\xef\xbb\xbf\n" + pairs(2).replace(b"\n", b"\r\n\r\n"), tmp_path / "a")
    assert outcome.report.accepted
    assert outcome.report.rows == 2


def test_the_name_of_a_file_says_nothing_and_columns_may_be_capitalised(tmp_path: Path) -> None:
    outcome = check(b'"Prompt"\t"Completion"\t"Slice"\nq\ta\tnorth\nr\ta\t\n', tmp_path / "a")
    assert outcome.report.file_format == "tsv"
    assert sorted(row["slice"] for row in outcome.rows) == ["all", "north"]


def test_repeated_rows_are_dropped_and_counted(tmp_path: Path) -> None:
    outcome = check(pairs(5) + pairs(2, split="test") + pairs(1, id=7), tmp_path / "a")
    assert outcome.report.accepted
    assert outcome.report.rows == 5
    by_code = {warning.code: warning for warning in outcome.report.warnings}
    assert by_code["dataset:duplicate_row"].count == 3
    assert by_code["dataset:duplicate_row"].lines == (6, 7, 8)


def test_fields_that_are_not_used_are_named(tmp_path: Path) -> None:
    warnings = check(pairs(3, source="mail"), tmp_path / "a").report.warnings
    assert [(warning.code, warning.text) for warning in warnings] == [
        ("dataset:unused_field", "Not used in training: source.")
    ]


def test_columns_without_a_name_are_not_told(tmp_path: Path) -> None:
    assert check(b"prompt,completion,,\nq,a,,\nr,b,,\n", tmp_path / "a").report.warnings == ()
