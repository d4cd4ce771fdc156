"""Opens a file of any supported format as a stream of rows."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, BinaryIO, Literal

from corpora.ingest.contracts import IngestSpec, Notice, Options, Problem
from corpora.ingest.formats.blocks import Blocks, LineBlocks, TableBlocks, text_offset
from corpora.ingest.formats.jsonl import parse_line, read_lines
from corpora.ingest.formats.lines import bounded_lines
from corpora.ingest.formats.sniff import HEAD_BYTES, Sniffed, sniff
from corpora.ingest.formats.tables import NO_HEADER, Header, read_header, read_table
from corpora.ingest.layouts.canonical import Canonical
from corpora.ingest.layouts.known import MARKS, Recognised, missing_columns, recognise
from corpora.ingest.layouts.layout import Layout
from corpora.ingest.metadata import guess_kept
from corpora.ingest.problems import FileProblem, RowProblem, joined, shown

LINES_FOR_LAYOUT = 10_000
BYTES_FOR_NAMES = 2 << 20
ROWS_FOR_LAYOUT = 20
ROWS_FOR_CATEGORIES = 50
MOST_READERS = 3
"""Largest number of reader processes. More would wait for the assembly and take memory."""

OPTIONAL = {"system", "input", *MARKS}
"""Fields that may be missing in the first rows and present in later ones."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """How a file is read.

    `blocks` are read while so many others are in use. From where they stop, or where a block is not certain, `records`
    gives (position, raw row) or problems: from a block's start on, which comes behind so many lines or rows. Iterating
    them may raise FileProblem. `columns` says which of the file's own stands for a field, and `guessed` for which
    fields the customer has not said that; `names` are those of a file that names them once for all rows, in the
    `header` of a table; `refusal` is why the file cannot be read like this. `row_count` is only known where the file
    says it. `is_document` says that JSON Lines were made of the rows of another JSON file. The columns in `kept` are
    kept with each row for filtering; `keep` says so to a format that reads only the columns it needs, and `first_rows`
    have those to choose from.
    """

    file_format: str
    delimiter: str = ""
    position: Literal["line", "row"] = "line"
    layout: Layout | None
    columns: Mapping[str, str]
    guessed: tuple[str, ...] = ()
    names: Sequence[str] = ()
    blocks: Callable[[int], Blocks]
    records: Callable[[int, int], Iterable[tuple[int, Any] | Problem]]
    header: Header = NO_HEADER
    refusal: FileProblem | None = None
    fraction: Callable[[], float]
    most_readers: int = MOST_READERS
    row_count: int | None = None
    is_document: bool = False
    first_rows: Callable[[int], Sequence[Mapping[Any, Any]]] | None = None
    keep: Callable[[Sequence[str]], None] | None = None
    kept: tuple[str, ...] = ()

    @property
    def shown_format(self) -> str:
        """The format of the customer's file."""
        return "json" if self.is_document else self.file_format

    def notices(self) -> Iterator[Notice]:
        """What was skipped to read the file."""
        count = self.header.titles
        if count:
            lines = f"{count} lines above the column names were" if count > 1 else "A line above the column names was"
            yield Notice(code="dataset:title_rows", count=count, text=f"{lines} skipped.")

    def check_names(self) -> None:
        """Raises FileProblem if a mapped column does not exist, or the columns match no layout that can be learnt."""
        if self.refusal:
            raise self.refusal
        if self.layout is None and self.names:
            problem = missing_columns(list(fields_of(self.names, self.columns)))
            line = self.header.line if self.position == "line" else 0
            text = problem.text
            if problem.code == "dataset:missing_field":
                text = f"{problem.text} The file has: {joined(self.names)}."
            raise FileProblem("dataset:missing_field", text, line=line, field=problem.field)


def open_source(file: BinaryIO, *, size: int, spec: IngestSpec, is_document: bool = False) -> Source:
    """The rows of a file of `size` bytes. Raises FileProblem if its format is not supported.

    `is_document` says that it holds the rows of a JSON document as lines.
    """
    source = _open(file, size=size, spec=spec, is_document=is_document)
    kept = _kept(source, spec.options)
    if source.keep:
        source.keep(kept)
    return replace(source, kept=kept)


def _open(file: BinaryIO, *, size: int, spec: IngestSpec, is_document: bool) -> Source:
    options, limit = spec.options, spec.max_row_bytes

    def fraction() -> float:
        return min(1.0, file.tell() / size)

    head = file.read(HEAD_BYTES)
    file_format, delimiter, skipped, titles = Sniffed("jsonl") if is_document else sniff(head, options)
    if file_format == "parquet":
        # Loading pyarrow takes longer than checking most files of the other formats.
        from corpora.ingest.formats.parquet import ParquetTable, RecordBlocks

        rows = ParquetTable(file, spec)
        return Source(
            file_format=file_format,
            position="row",
            layout=rows.recognised.layout,
            columns=rows.recognised.columns,
            guessed=rows.recognised.guessed,
            names=rows.names,
            blocks=lambda ahead: RecordBlocks(file, rows, max_row_bytes=limit, ahead=ahead),
            records=lambda start, _: rows.records(start),
            refusal=_absent(options.columns, rows.names, line=0) or _no_answers(rows.recognised, options),
            fraction=rows.fraction,
            # The assembling process has to decompress too, and pyarrow takes memory in each process.
            most_readers=1,
            row_count=rows.rows,
            first_rows=rows.categories,
            keep=rows.keep,
        )
    if file_format == "jsonl":
        found = _recognise_lines(file, options, limit)
        offset = text_offset(file)
        return Source(
            file_format=file_format,
            is_document=is_document,
            position="row" if is_document else "line",
            layout=found.layout,
            columns=found.columns,
            guessed=found.guessed,
            blocks=lambda ahead: LineBlocks(file.fileno(), size, max_row_bytes=limit, ahead=ahead, offset=offset),
            records=lambda offset, lines: read_lines(file, max_row_bytes=limit),
            refusal=_absent_in_lines(file, options.columns, limit) or _no_answers(found, options),
            fraction=fraction,
            first_rows=lambda most: _first_rows(read_lines(file, max_row_bytes=limit), most),
        )
    # A table's column names are taken in lower case.
    columns = {field: column.strip().lower() for field, column in options.columns.items()}
    header = read_header(file, delimiter=delimiter, max_row_bytes=limit, skipped=skipped, titles=titles)

    def records(offset: int, lines: int) -> Iterator[tuple[int, Any] | Problem]:
        return read_table(
            file, header.names, offset=offset, lines_before=lines, delimiter=delimiter, max_row_bytes=limit
        )

    first = _first_row(records(header.size, header.lines)) or dict.fromkeys(header.names)
    found = recognise(first, columns, options.layout)
    return Source(
        file_format=file_format,
        delimiter=delimiter,
        layout=found.layout,
        columns=found.columns,
        guessed=found.guessed,
        names=header.names,
        header=header,
        blocks=lambda ahead: TableBlocks(file.fileno(), size, max_row_bytes=limit, ahead=ahead, offset=header.size),
        records=records,
        refusal=_absent(columns, header.names, line=header.line) or _no_answers(found, options),
        fraction=fraction,
        first_rows=lambda most: _first_rows(records(header.size, header.lines), most),
    )


def _kept(source: Source, options: Options) -> tuple[str, ...]:
    """The columns to keep: those named, or those whose values in the first rows look like categories."""
    if source.layout is None or source.first_rows is None:
        return ()
    if options.metadata is not None:
        is_table = source.file_format in {"csv", "tsv"}
        named = [column.strip().lower() if is_table else column for column in options.metadata]
        used = Canonical(source.layout, source.columns).used(named)
        return tuple(column for column in dict.fromkeys(named) if column not in used)
    rows = source.first_rows(ROWS_FOR_CATEGORIES)
    names = dict.fromkeys(name for row in rows for name in row)
    return guess_kept(rows, Canonical(source.layout, source.columns).used(names))


def _first_rows(records: Iterable[tuple[int, Any] | Problem], most: int) -> list[Mapping[Any, Any]]:
    """The rows among the first `most` records."""
    rows: list[Mapping[Any, Any]] = []
    with suppress(FileProblem):
        read = (record[1] for record in islice(records, most) if not isinstance(record, Problem))
        rows.extend(row for row in read if isinstance(row, Mapping))
    return rows


def fields_of(names: Iterable[Any], columns: Mapping[str, str]) -> Iterator[Any]:
    """The field of each column, or its own name if it is not mapped."""
    fields = {column: field for field, column in columns.items()}
    return (fields.get(name, name) for name in names)


def _absent(columns: Mapping[str, str], names: Iterable[str], *, line: int) -> FileProblem | None:
    present = dict.fromkeys(name for name in names if name)
    for field, column in columns.items():
        if present and column not in present:
            text = f"The file has no column “{shown(column)}” for “{field}”. Its columns: {joined(present)}."
            return FileProblem("dataset:missing_field", text, line=line, field=field)
    return None


def _absent_in_lines(file: BinaryIO, columns: Mapping[str, str], limit: int) -> FileProblem | None:
    """A mapped column that the first rows do not have. Optional fields may occur only in later rows."""
    if not columns:
        return None
    names: dict[str, None] = {}
    unseen = set(columns.values())
    for number, line in bounded_lines(file, limit):
        if number > LINES_FOR_LAYOUT or file.tell() > BYTES_FOR_NAMES:
            columns = {field: column for field, column in columns.items() if field not in OPTIONAL}
            break
        try:
            raw = parse_line(line) if line and line.strip() else None
        except RowProblem:
            continue
        if isinstance(raw, dict):
            names.update(dict.fromkeys(raw))
            unseen -= raw.keys()
            if not unseen:
                return None
    return _absent(columns, names, line=0)


def _recognise_lines(file: BinaryIO, options: Options, limit: int) -> Recognised:
    """The layout of the first line that has one."""
    for _, line in islice(bounded_lines(file, limit), LINES_FOR_LAYOUT):
        try:
            raw = parse_line(line) if line and line.strip() else None
        except RowProblem:
            continue
        if isinstance(raw, dict) and (found := recognise(raw, options.columns)).layout:
            return (
                found if options.layout in ("", found.layout.name) else recognise(raw, options.columns, options.layout)
            )
    return recognise({}, options.columns, options.layout)


def _first_row(records: Iterator[tuple[int, Any] | Problem]) -> dict[str, str | None] | None:
    """The first row of a table that can be read, if it is among the first few."""
    with suppress(FileProblem):
        for record in islice(records, ROWS_FOR_LAYOUT):
            if not isinstance(record, Problem):
                row: dict[str, str | None] = record[1]
                return row
    return None


def _no_answers(found: Recognised, options: Options) -> FileProblem | None:
    """Why preference data is refused, unless only its good answers are to be learnt."""
    layout = found.layout
    if layout is None or not layout.is_preference or options.preferences == "chosen":
        return None
    what = "a chosen and a rejected answer" if layout.name == "preference" else "answers labelled as good or bad"
    text = (
        f"This is preference data ({what} in each row). Adapters are trained on answers, not on preferences. "
        "Choose “train on the chosen answers” (preferences: chosen), or upload rows with one good answer each."
    )
    return FileProblem("dataset:preference_data", text, field=found.columns.get("chosen", "label"))
