"""The inspection detects the format from the head of a file and applies options."""

import gzip
import hashlib
import io
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpora.ingest import inspection as inspecting
from corpora.ingest.contracts import SHOWN_COLUMNS, IngestSpec, Inspection, Options
from corpora.ingest.formats.jsonl import parse_line
from corpora.ingest.inspection import HEAD_ROWS, NAMED_COLUMNS, SHOWN_ROWS, inspect_file
from lorakit.errors import RunError
from tests.corpora.conftest import jsonl, pairs
from tests.corpora.corpus import writing
from tests.corpora.corpus.files import BAD_CLASSES, VARIANTS, bad_file
from tests.examples import examples

TABLE = "Nr;Frage;Antwort\n" + "".join(f"{n};Frage {n}, bitte;Antwort {n}\n" for n in range(20))


def inspect(content: bytes, folder: Path, *, options: dict[str, Any] | None = None, **spec: Any) -> Inspection:
    """Inspect a file with these bytes in an empty folder."""
    folder.mkdir()
    path = folder / "upload"
    path.write_bytes(content)
    chosen = IngestSpec(task="inspect", bytes=len(content), options=Options(**options or {}), **spec)
    seen = inspect_file(path, chosen, scratch=folder)
    assert [left.name for left in folder.iterdir()] == ["upload"]
    assert (seen.bytes, seen.upload_sha256) == (len(content), hashlib.sha256(content).hexdigest())
    # PostgreSQL stores neither lone surrogates, which cannot be encoded, nor NUL.
    assert "\\u0000" not in seen.to_json().replace("\\\\", "")
    return seen


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("file_format", writing.FORMATS)
def test_each_format_shows_its_columns_and_first_rows(file_format: str, packed: bool, tmp_path: Path) -> None:
    rows = writing.rows(Random(1), "prompt", 30)
    content = writing.write(rows, file_format)
    seen = inspect(gzip.compress(content) if packed else content, tmp_path / "run")
    assert seen.packed == packed
    named = {"semicolons": "csv"}.get(file_format, file_format)
    assert (seen.file_format, seen.delimiter) == (named, writing.TABLES.get(file_format, ""))
    assert (seen.layout, seen.problems) == ("prompt and completion", ())
    assert seen.columns == ("prompt", "completion")
    assert seen.mapping == {"prompt": "prompt", "completion": "completion"}
    assert list(seen.sample) == rows[:SHOWN_ROWS]
    assert [[turn.content for turn in row.messages] for row in seen.rows] == [
        [row["prompt"], row["completion"]] for row in rows[:SHOWN_ROWS]
    ]


def test_conversations_are_shown_as_they_stand_in_the_file(tmp_path: Path) -> None:
    seen = inspect(writing.jsonl(writing.rows(Random(2), "chat", 9)), tmp_path / "run")
    assert (seen.layout, seen.mapping) == ("chat", {"messages": "messages"})
    assert seen.sample[0]["messages"].startswith('[{"role": "user"')
    assert [turn.role for turn in seen.rows[0].messages] == ["user", "assistant"]


def test_a_wrong_delimiter_is_seen_and_corrected(tmp_path: Path) -> None:
    content = TABLE.encode()
    wrong = inspect(content, tmp_path / "wrong", options={"file_format": "csv", "delimiter": ","})
    assert (wrong.columns, wrong.rows) == (("nr;frage;antwort",), ())
    assert wrong.problems[0].code == "dataset:missing_field"
    right = inspect(content, tmp_path / "right", options={"file_format": "csv", "delimiter": ";"})
    assert right.columns == ("nr", "frage", "antwort")
    assert right.sample[1] == {"nr": "1", "frage": "Frage 1, bitte", "antwort": "Antwort 1"}


@pytest.mark.parametrize(
    ("content", "options", "read"),
    [
        (b"prompt;completion\nq;a\n", {"file_format": "csv"}, ("csv", ";")),
        (b"prompt\tcompletion\nq\ta\n", {"file_format": "csv"}, ("csv", "\t")),
        (b"Frage;Antwort\nq;a\n", {"file_format": "csv"}, ("csv", ";")),
        (b"prompt,completion\nq,a\n", {"file_format": "tsv"}, ("tsv", "\t")),
        (b"prompt,completion\nq,a\n", {"delimiter": ";"}, ("csv", ";")),
        (b"Question|Answer\nq|a\n", {"delimiter": "|"}, ("csv", "|")),
        (b"Question\tAnswer\nq\ta\n", {"delimiter": "\t"}, ("tsv", "\t")),
        (pairs(1), {"delimiter": ","}, ("jsonl", "")),
        (b"prompt,completion\nq,a\n", {"file_format": "jsonl", "delimiter": ","}, ("jsonl", "")),
        (b"Question,Answer\n{name} wants a refund,ok\n", {}, ("csv", ",")),
    ],
)
def test_a_file_is_read_as_it_is_forced_to_be(
    content: bytes, options: dict[str, Any], read: tuple[str, str], tmp_path: Path
) -> None:
    seen = inspect(content, tmp_path / "run", options=options)
    assert (seen.file_format, seen.delimiter) == read


@pytest.mark.parametrize("file_format", ["jsonl", "csv", "parquet"])
def test_unknown_columns_are_named_and_can_be_mapped(file_format: str, tmp_path: Path) -> None:
    rows = [{"Nr": n, "Eins": f"Frage {n}", "Zwei": f"Antwort {n}"} for n in range(9)]
    content = writing.write(rows, file_format)
    before = inspect(content, tmp_path / "before")
    assert [name.lower() for name in before.columns][-2:] == ["eins", "zwei"]
    assert (before.layout, before.mapping, before.rows) == ("", {}, ())
    assert before.problems[0].code in {"dataset:missing_field", "missing_messages_list"}
    after = inspect(content, tmp_path / "after", options={"columns": {"prompt": "Eins", "completion": "Zwei"}})
    assert (after.layout, after.problems) == ("prompt and completion", ())
    assert {field: name.lower() for field, name in after.mapping.items()} == {"prompt": "eins", "completion": "zwei"}
    assert [name.lower() for name in after.ignored] == ["nr"]
    assert [turn.content for turn in after.rows[3].messages] == ["Frage 3", "Antwort 3"]


@pytest.mark.parametrize("file_format", ["jsonl", "csv", "semicolons", "parquet"])
def test_columns_are_proposed_by_what_they_hold_and_marked(file_format: str, tmp_path: Path) -> None:
    rows = [
        {"Nr": n, "Kundenfrage": f"Wo ist Paket {n} geblieben?", "Text2": f"Das Paket {n} liegt im Depot."}
        for n in range(9)
    ]
    content = writing.write(rows, file_format)
    seen = inspect(content, tmp_path / "run")
    assert (seen.layout, seen.problems) == ("prompt and completion", ())
    assert set(seen.proposed) == set(seen.guessed) == {"prompt", "completion"}
    assert {field: name.lower() for field, name in seen.mapping.items()} == {
        "prompt": "kundenfrage",
        "completion": "text2",
    }
    assert [turn.content for turn in seen.rows[3].messages] == [rows[3]["Kundenfrage"], rows[3]["Text2"]]
    confirmed = inspect(content, tmp_path / "confirmed", options={"columns": seen.mapping})
    assert (confirmed.rows, confirmed.proposed, confirmed.guessed) == (seen.rows, (), ())


def test_columns_that_somebody_chose_are_left_alone(tmp_path: Path) -> None:
    rows = [{"Frage": f"Wo ist Paket {n}?", "Antwort": f"Das Paket {n} liegt im Depot."} for n in range(9)]
    seen = inspect(jsonl(*rows), tmp_path / "run", options={"columns": {"prompt": "Antwort"}})
    assert (seen.layout, seen.proposed, seen.rows) == ("", (), ())


@pytest.mark.parametrize("file_format", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("count", [3, HEAD_ROWS, HEAD_ROWS + 70])
def test_rows_are_counted_where_that_is_quick(
    file_format: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = writing.write(writing.rows(Random(7), "prompt", count), file_format)
    seen = inspect(content, tmp_path / "run")
    assert (seen.row_count, seen.rows_read) == (count, min(count, HEAD_ROWS))
    monkeypatch.setattr(inspecting, "COUNTED_BYTES", 10)
    known = count < HEAD_ROWS or file_format == "parquet"
    assert inspect(content, tmp_path / "large").row_count == (count if known else None)
    monkeypatch.setattr(inspecting, "HEAD_BYTES", 100)
    packed = inspect(gzip.compress(content), tmp_path / "packed")
    assert packed.row_count == (count if file_format == "parquet" else None)


def test_what_is_to_be_known_about_the_first_rows_is_counted(tmp_path: Path) -> None:
    thought = {"role": "assistant", "content": "Yes", "reasoning_content": "Hm"}
    rows = [{"messages": [{"role": "user", "content": f"Write to anna{n}@example.com"}, thought]} for n in range(3)]
    content = jsonl(*rows, rows[0]) + b"{broken\n"
    seen = inspect(content, tmp_path / "run")
    assert seen.notices == {"dataset:reasoning": 4, "dataset:personal_email": 4, "dataset:duplicate_row": 1}
    assert (seen.rows_read, seen.rows_with_problems, seen.row_count) == (5, 1, 5)
    masked = inspect(content, tmp_path / "masked", options={"personal_data": "mask"})
    assert masked.rows[0].messages[0].content == "Write to [email]"


def test_bad_answers_of_preference_data_are_no_problems_of_rows(tmp_path: Path) -> None:
    rows = [{"prompt": f"q{n}", "completion": "a", "label": bool(n % 2)} for n in range(6)]
    seen = inspect(jsonl(*rows), tmp_path / "run", options={"preferences": "chosen"})
    assert (seen.problems, seen.rows_with_problems, len(seen.rows)) == ((), 0, 3)
    assert seen.notices == {"dataset:not_chosen": 3}


def test_an_unknown_parquet_column_is_shown_before_it_is_mapped(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    pictures = [{"bytes": b"\xff\xd8", "path": None}] * 9
    pq.write_table(pa.table({"Eins": ["q"] * 9, "prompt": ["p"] * 9, "image": pictures, "raw": [b"\xff"] * 9}), buffer)
    seen = inspect(buffer.getvalue(), tmp_path / "run")
    assert seen.columns == ("Eins", "prompt", "image", "raw")
    assert seen.sample[0] == {"Eins": "q", "prompt": "p"}
    assert (seen.problems[0].code, seen.problems[0].field) == ("dataset:missing_field", "completion")


def test_rows_that_cannot_be_read_are_told_beside_those_that_can(tmp_path: Path) -> None:
    seen = inspect(pairs(2) + b"{broken\n" + jsonl({"prompt": "q"}) + pairs(1), tmp_path / "run")
    assert [(problem.line, problem.code) for problem in seen.problems] == [
        (3, "dataset:broken_line"),
        (4, "dataset:missing_field"),
    ]
    assert len(seen.rows) == 3


def test_only_the_head_of_a_large_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = []

    def parse(line: bytes) -> Any:
        parsed.append(line)
        return parse_line(line)

    monkeypatch.setattr("corpora.ingest.formats.jsonl.parse_line", parse)
    seen = inspect(pairs(5_000) + b"{broken\n", tmp_path / "run")
    # Once to guess which columns to keep, and once to show them.
    assert (len(parsed), len(seen.rows), seen.problems) == (2 * HEAD_ROWS, SHOWN_ROWS, ())


@pytest.mark.parametrize("layout", ["prompt", "chat"])
def test_only_the_head_of_a_packed_file_is_unpacked(
    layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspecting, "HEAD_BYTES", 2_000)
    content = writing.jsonl(writing.rows(Random(3), layout, 500))
    # Errors after the head are not reported yet, and a row cut by the end of the head is not an error.
    seen = inspect(writing.pack(content)[:-20], tmp_path / "run")
    assert (seen.packed, len(seen.rows), seen.problems) == (True, SHOWN_ROWS, ())


def test_a_packed_parquet_file_is_read_from_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspecting, "HEAD_BYTES", 500)
    content = writing.parquet(writing.rows(Random(4), "prompt", 500))
    assert inspect(gzip.compress(content), tmp_path / "run").file_format == "parquet"
    limited = inspect(gzip.compress(content), tmp_path / "limited", max_unpacked_bytes=1_000)
    assert limited.problems[0].code == "dataset:too_large"


def test_a_packed_line_that_is_longer_than_the_head_is_no_empty_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspecting, "HEAD_BYTES", 2_000)
    content = gzip.compress(jsonl({"prompt": "x" * 9_000, "completion": "a"}))
    assert inspect(content, tmp_path / "run", max_row_bytes=1_000).problems[0].code == "dataset:row_too_long"


def test_long_texts_and_many_columns_are_cut_short(tmp_path: Path) -> None:
    wide = {"prompt": "x" * 50_000, **{f"c{n}": "v" for n in range(1_000)}, "y" * 50_000: "v", "completion": "a"}
    seen = inspect(jsonl(wide, wide), tmp_path / "run")
    assert len(seen.columns) == NAMED_COLUMNS + 1
    assert len(seen.sample[0]) == SHOWN_COLUMNS
    assert seen.mapping == {"prompt": "prompt", "completion": "completion"}
    assert len(seen.to_json()) < 20_000


def test_columns_far_to_the_right_can_be_named(tmp_path: Path) -> None:
    header = ";".join([*(f"c{n}" for n in range(45)), "Frage", "Antwort"])
    content = (header + "\n" + ";".join("v" * 47) + "\n").encode()
    assert inspect(content, tmp_path / "before").columns[-2:] == ("frage", "antwort")
    chosen = {"prompt": "Frage", "completion": "Antwort"}
    seen = inspect(content, tmp_path / "after", options={"columns": chosen})
    assert seen.mapping == {"prompt": "frage", "completion": "antwort"}


def test_a_chosen_column_stands_before_one_of_the_fields_name(tmp_path: Path) -> None:
    row = {"q": "q", "completion": "a", "prompt": "not this"}
    seen = inspect(jsonl(row), tmp_path / "run", options={"columns": {"prompt": "q"}})
    assert seen.mapping == {"prompt": "q", "completion": "completion"}


NAMES_IN_PARQUET = io.BytesIO()
pq.write_table(pa.table({"x\0y": ["v"], "prompt": ["q"], "completion": ["a"]}), NAMES_IN_PARQUET)


@pytest.mark.parametrize(
    "content",
    [
        jsonl({"prompt": "q", "completion": "a", "\0k": "v", "\ud800": "v"}),
        b"prompt,completion," + b"x" * 60 + b"\0\nq,a,v\n",
        b"prompt,completion," + b"x" * 60 + b"\0," + b"x" * 60 + b"\0\nq,a,v,v\n",
        NAMES_IN_PARQUET.getvalue(),
        jsonl({"y" * 500_000: "v"}),
    ],
    ids=["JSON", "CSV", "CSV twice", "Parquet", "long"],
)
def test_names_of_columns_can_be_stored_and_are_short(content: bytes, tmp_path: Path) -> None:
    seen = inspect(content, tmp_path / "run")
    for name in (*seen.columns, *(problem.field + problem.text for problem in seen.problems)):
        assert "\0" not in name
        assert len(name) < 500
    assert len(seen.to_json()) < 5_000


def test_columns_without_a_name_are_not_offered(tmp_path: Path) -> None:
    assert inspect(b"prompt,completion,,\nq,a,,\n", tmp_path / "run").columns == ("prompt", "completion")


def test_another_file_than_the_uploaded_one_is_a_platform_error(tmp_path: Path) -> None:
    with pytest.raises(RunError) as caught:
        inspect(pairs(3), tmp_path / "run", sha256="0" * 64)
    assert (caught.value.code, caught.value.temporary) == ("platform:object_damaged", True)


@pytest.mark.parametrize("name", BAD_CLASSES)
def test_no_bad_file_makes_it_fail(name: str, tmp_path: Path) -> None:
    for variant in range(VARIANTS):
        file = bad_file(name, variant)
        seen = inspect(file.content, tmp_path / str(variant), options=file.options, **file.limits)
        assert all(problem.code and problem.text for problem in seen.problems)
        assert seen.file_format or seen.problems


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.text('ab",\r\n\t;{}[]:', max_size=80).map(str.encode)
)
def test_no_bytes_make_it_fail(content: bytes, tmp_path: Path) -> None:
    inspect(content, tmp_path / str(len(list(tmp_path.iterdir()))))
