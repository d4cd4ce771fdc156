"""A table's column names are found below titles, and nothing is skipped that is a row."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.ingest.contracts import Options
from corpora.ingest.formats.sniff import sniff
from tests.corpora.ingest.checking import Outcome, check
from tests.examples import examples

ROWS = [(f"Where is item {number}?", f"Depot {number}.") for number in range(12)]


def table(delimiter: str = ",", *, names: tuple[str, ...] = ("prompt", "completion"), title: str = "") -> bytes:
    lines = [delimiter.join(names), *map(delimiter.join, ROWS)]
    return (title + "\n".join(lines) + "\n").encode()


def skipped(outcome: Outcome) -> list[str]:
    return [warning.text for warning in outcome.report.warnings if warning.code == "dataset:title_rows"]


TITLES = {
    "Export of 1 February 2026\n\n": "A line above the column names was skipped.",
    "\ufeffExport of “all”\r\n\r\n": "A line above the column names was skipped.",
    "Export\nBy Ann\n\nNotes: a, b; c\n": "3 lines above the column names were skipped.",
    '"A title\nof two lines"\n': "A line above the column names was skipped.",
}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("title", TITLES)
def test_lines_above_the_names_are_skipped(title: str, delimiter: str, tmp_path: Path) -> None:
    plain = check(table(delimiter), tmp_path / "plain")
    titled = check(table(delimiter, title=title), tmp_path / "titled")
    assert skipped(titled) == [TITLES[title]]
    assert skipped(plain) == []
    assert (titled.train, titled.test, titled.report.delimiter) == (plain.train, plain.test, delimiter)


@pytest.mark.parametrize("delimiter", [",", ";", "|"])
def test_unknown_names_are_found_by_the_number_of_cells(delimiter: str, tmp_path: Path) -> None:
    content = table(delimiter, names=("Anliegen", "Reaktion"), title="Export of 1 February 2026\n\n")
    columns = {"prompt": "Anliegen", "completion": "Reaktion"}
    assert check(content, tmp_path / "a").first == (3, "messages", "dataset:missing_field")
    for number, options in enumerate(({}, {"file_format": "csv"}, {"delimiter": delimiter})):
        outcome = check(content, tmp_path / str(number), options={"columns": columns, **options})
        assert outcome.report.rows == 12


def test_line_numbers_count_the_skipped_lines(tmp_path: Path) -> None:
    content = table(title="Export\n\n") + b"q,\n"
    assert check(content, tmp_path / "a").first == (16, "completion", "dataset:missing_field")
    wide = table(title="Export\n\n") + b'"q,a\n'
    assert check(wide, tmp_path / "b").first == (16, "", "dataset:broken_line")
    twice = table(names=("prompt", "completion", "prompt"), title="Export\n\n")
    assert check(twice, tmp_path / "c").first == (3, "prompt", "dataset:duplicate_key")


@pytest.mark.parametrize("separator", [";", "|", "\t", "^"])
@pytest.mark.parametrize("first", ["sep={}\n", "\ufeffsep={}\r\n", "SEP={}\n\nA title\n"])
def test_a_line_that_names_the_separator_is_followed(first: str, separator: str, tmp_path: Path) -> None:
    outcome = check(table(separator, title=first.format(separator)), tmp_path / "a")
    assert (outcome.report.delimiter, outcome.report.rows) == (separator, 12)
    assert bool(skipped(outcome)) == ("title" in first)


def test_a_file_of_nothing_but_a_separator_is_empty(tmp_path: Path) -> None:
    assert check(b"sep=;\n", tmp_path / "a").first == (0, "", "dataset:empty_file")


cells = st.text('ab ,;|"', max_size=6)


@settings(max_examples=examples(300), deadline=None)
@given(
    names=st.sampled_from((("prompt", "completion"), ("text", "label", "id"), ("Frage", "Antwort"), ("a b", "c", "d"))),
    rows=st.lists(st.lists(cells | st.sampled_from(("prompt", "completion", "text", "label")), max_size=4), max_size=9),
    delimiter=st.sampled_from(",;\t|"),
)
def test_the_first_line_of_a_proper_table_has_its_names(
    names: tuple[str, ...], rows: list[list[str]], delimiter: str
) -> None:
    """A line below is no header, though it has the same words."""

    def line(row: Any) -> str:
        return delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row)

    proper = [(*row, *[""] * len(names))[: len(names)] for row in rows]
    content = "\n".join((delimiter.join(names), *map(line, proper))).encode()
    assert sniff(content, Options())[2:] == (0, 0)
    assert sniff(content, Options(file_format="csv", delimiter=delimiter))[2:] == (0, 0)


def test_prose_is_no_table(tmp_path: Path) -> None:
    for number, content in enumerate((b"Dear all,\nplease find, as promised\nmany, many rows", b"a\nb\nc\nd\ne\n")):
        assert check(content, tmp_path / str(number)).first == (1, "", "dataset:not_a_dataset")
