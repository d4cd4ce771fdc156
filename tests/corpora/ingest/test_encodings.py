"""Text of another encoding gives the rows of the same text in UTF-8, on the same lines."""

import gzip
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from corpora.ingest.contracts import IngestSpec, Inspection, Options
from corpora.ingest.formats import encodings
from corpora.ingest.formats.encodings import is_windows_1252
from corpora.ingest.inspection import inspect_file
from tests.corpora.conftest import pairs
from tests.corpora.corpus import writing
from tests.corpora.ingest.checking import Outcome, check
from tests.examples import examples

WESTERN = "".join(bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0x100))
CODECS = {
    "UTF-16 with a mark": ("utf-16", "utf-16"),
    "UTF-16, little end first": ("utf-16-le", "utf-16"),
    "UTF-16, big end first": ("utf-16-be", "utf-16"),
    "Windows-1252": ("cp1252", "windows-1252"),
}


def western_rows(count: int = 12) -> list[dict[str, Any]]:
    return [{"prompt": f"“Größe” {n}?", "completion": f"réponse — {n} €"} for n in range(count)]


def forms() -> dict[str, bytes]:
    rows = western_rows()
    written = {name: writing.write(rows, name) for name in writing.FORMATS if name != "parquet"}
    listed = b"[\n" + b",\n".join(writing.line(row).strip() for row in rows) + b"]"
    return {**written, "a JSON list": listed, "a JSON list in an object": b'{"data": %b}' % listed}


def codes(outcome: Outcome) -> dict[str, str]:
    return {warning.code: warning.text for warning in outcome.report.warnings}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("form", forms())
@pytest.mark.parametrize("name", CODECS)
def test_each_encoding_gives_the_rows_of_utf8(name: str, form: str, packed: bool, tmp_path: Path) -> None:
    codec, encoding = CODECS[name]
    content = forms()[form]
    plain = check(content, tmp_path / "plain")
    encoded = content.decode().encode(codec)
    outcome = check(gzip.compress(encoded) if packed else encoded, tmp_path / "encoded")
    assert (plain.report.accepted, plain.report.encoding) == (True, "utf-8")
    assert "dataset:converted" not in codes(plain)
    assert (outcome.report.encoding, outcome.report.file_format) == (encoding, plain.report.file_format)
    assert (outcome.train, outcome.test) == (plain.train, plain.test)
    assert codes(outcome)["dataset:converted"].startswith(f"Converted from {encodings.TITLES[encoding]}.")


@settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(f'ab "{WESTERN}', min_size=1), min_size=1, max_size=5), chunk=st.integers(1, 9))
def test_windows_1252_is_told_from_utf8(texts: list[str], chunk: int, tmp_path: Path) -> None:
    text = "\n".join(texts)
    assume(not text.isascii())
    path = tmp_path / "file"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encodings, "CHUNK_BYTES", chunk)
        path.write_bytes(text.encode())
        assert not is_windows_1252(path, tick=lambda: None)
        path.write_bytes(text.encode("cp1252"))
        looks_like_utf8 = encodings._SEQUENCE.search(text.encode("cp1252")) is not None
        assert is_windows_1252(path, tick=lambda: None) != looks_like_utf8


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-be", "cp1252"])
def test_a_problem_keeps_its_line(codec: str, tmp_path: Path) -> None:
    content = "prompt,completion\né,a\n\nq,a\nq,\n".encode(codec)
    assert check(content, tmp_path / "a").first == (5, "completion", "dataset:missing_field")


def test_one_character_in_utf8_keeps_the_file_utf8(tmp_path: Path) -> None:
    content = pairs(3) + '{"prompt": "é", "completion": "a"}\n'.encode() + b'{"prompt": "\xe9", "completion": "b"}\n'
    outcome = check(content, tmp_path / "a")
    assert (outcome.report.encoding, outcome.first) == ("utf-8", (5, "", "dataset:encoding"))
    assert "option “encoding”" in outcome.report.problems[0].text
    left_out = check(content, tmp_path / "b", options={"bad_rows": "leave_out"})
    assert left_out.report.rows == 4
    chosen = check(content, tmp_path / "c", options={"encoding": "windows-1252"})
    assert {row["messages"][0]["content"] for row in chosen.rows} >= {"Ã©", "é"}


def test_only_text_after_the_sample_of_the_preview_is_converted_too(tmp_path: Path) -> None:
    content = pairs(5_000) + '{"prompt": "é", "completion": "a"}\n'.encode("cp1252")
    outcome = check(content, tmp_path / "a")
    assert (outcome.report.rows, outcome.report.encoding) == (5_001, "windows-1252")


def test_an_encoding_that_is_chosen_counts(tmp_path: Path) -> None:
    utf16 = pairs(3).decode().encode("utf-16")
    refused = check(utf16, tmp_path / "a", options={"encoding": "utf-8"})
    assert refused.first == (0, "", "dataset:encoding")
    assert "UTF-16" in refused.report.problems[0].text
    western = writing.jsonl(western_rows()).decode().encode("cp1252")
    assert check(western, tmp_path / "b", options={"encoding": "utf-8"}).first == (1, "", "dataset:encoding")
    undefined = check(pairs(2) + b"\x81", tmp_path / "c", options={"encoding": "windows-1252"})
    assert undefined.first == (3, "", "dataset:encoding")


def test_the_text_that_is_written_is_bounded(tmp_path: Path) -> None:
    content = b"prompt,completion\n" + b"\x80" * 400_000
    outcome = check(content, tmp_path / "a", max_unpacked_bytes=1_000_000)
    assert outcome.report.problems[-1].code == "dataset:too_large"
    outcome = check(content, tmp_path / "b", room_bytes=1_000_000)
    assert outcome.report.problems[-1].code == "dataset:quota_exceeded"


def inspect(content: bytes, folder: Path, **options: Any) -> Inspection:
    folder.mkdir()
    path = folder / "upload"
    path.write_bytes(content)
    seen = inspect_file(
        path, IngestSpec(task="inspect", bytes=len(content), options=Options(**options)), scratch=folder
    )
    assert [left.name for left in folder.iterdir()] == ["upload"]
    return seen


@pytest.mark.parametrize("count", [5, 100_000])
@pytest.mark.parametrize("packed", [False, True])
def test_the_preview_shows_what_is_converted(packed: bool, count: int, tmp_path: Path) -> None:
    text = "prompt,completion\nq,a\nGröße?,42\nq,b\nréponse,a\nq,€ 5\n“so”,a\n" + "another question,a\n" * count
    content = text.encode("cp1252")
    seen = inspect(gzip.compress(content) if packed else content, tmp_path / "a")
    assert seen.encoding == "windows-1252"
    assert [(change.line, change.text) for change in seen.converted] == [
        (3, "Größe?,42"),
        (5, "réponse,a"),
        (6, "q,€ 5"),
    ]
    assert [warning.code for warning in seen.warnings] == ["dataset:converted"]
    assert seen.rows[1].messages[0].content == "Größe?"
    assert inspect(text.encode(), tmp_path / "b").converted == ()


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-be"])
def test_the_preview_of_a_large_utf16_file_reads_its_head(codec: str, tmp_path: Path) -> None:
    content = writing.jsonl(writing.rows(Random(1), "prompt", 40_000)).decode().encode(codec)
    seen = inspect(content, tmp_path / "a")
    assert (seen.encoding, seen.problems, len(seen.rows)) == ("utf-16", (), 5)
    packed = inspect(gzip.compress(content, 1), tmp_path / "b")
    assert (packed.encoding, packed.problems, packed.rows) == ("utf-16", (), seen.rows)
