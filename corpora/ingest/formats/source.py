"""Opens a file of any supported format as a stream of rows."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO, Literal

from corpora.ingest.contracts import IngestSpec, Notice, Problem
from corpora.ingest.formats.blocks import Blocks, LineBlocks, TableBlocks, text_offset
from corpora.ingest.formats.jsonl import parse_line, read_lines
from corpora.ingest.formats.lines import bounded_lines
from corpora.ingest.formats.sniff import HEAD_BYTES, Sniffed, sniff
from corpora.ingest.formats.tables import NO_HEADER, Header, read_header, read_table
from corpora.ingest.layouts.canonical import MARKS
from corpora.ingest.layouts.known import Layout, detect_layout, layout_named, missing_columns
from corpora.ingest.problems import FileProblem, RowProblem, joined, shown

LINES_FOR_LAYOUT = 10_000
BYTES_FOR_NAMES = 2 << 20
MOST_READERS = 3
"""Largest number of reader processes. More would wait for the assembly and take memory."""

OPTIONAL = {"system", "input", *MARKS}
"""Fields that may be missing in the first rows and present in later ones."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """How a file is read.

    `blocks` are read while so many others are in use. From where they stop, or where a block is not certain, `records`
    gives (position, raw row) or problems: from a block's start on, which comes behind so many lines or rows. Iterating
    them may raise FileProblem. `columns` says which of the file's own stands for a field; `names` are those of a file
    that names them once for all rows, in the `header` of a table; `absent` says that a column is named which the file
    does not have. `is_document` says that JSON Lines were made of the rows of another JSON file.
    """

    file_format: str
    delimiter: str = ""
    position: Literal["line", "row"] = "line"
    layout: Layout | None
    columns: Mapping[str, str]
    names: Sequence[str] = ()
    blocks: Callable[[int], Blocks]
    records: Callable[[int, int], Iterable[tuple[int, Any] | Problem]]
    header: Header = NO_HEADER
    absent: FileProblem | None = None
    fraction: Callable[[], float]
    most_readers: int = MOST_READERS
    is_document: bool = False

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
        """Raises FileProblem if a mapped column does not exist, or the columns match no layout."""
        if self.absent:
            raise self.absent
        if self.layout is None and self.names:
            problem = missing_columns(list(fields_of(self.names, self.columns)))
            line = self.header.line if self.position == "line" else 0
            text = f"{problem.text} Or map the columns of your file: {joined(self.names)}."
            if problem.code == "missing_messages_list":
                text = f"{problem.text} Or map the columns of your file."
            raise FileProblem("dataset:missing_field", text, line=line, field=problem.field)


def open_source(file: BinaryIO, *, size: int, spec: IngestSpec, is_document: bool = False) -> Source:
    """The rows of a file of `size` bytes. Raises FileProblem if its format is not supported.

    `is_document` says that it holds the rows of a JSON document as lines.
    """
    options, limit = spec.options, spec.max_row_bytes
    forced = layout_named(options.layout) if options.layout else None

    def fraction() -> float:
        return min(1.0, file.tell() / size)

    head = file.read(HEAD_BYTES)
    file_format, delimiter, skipped, titles = Sniffed("jsonl") if is_document else sniff(head, options)
    if file_format == "parquet":
        # Loading pyarrow takes longer than checking most files of the other formats.
        from corpora.ingest.formats.parquet import ParquetTable, RecordBlocks

        rows = ParquetTable(file, spec, forced)
        return Source(
            file_format=file_format,
            position="row",
            layout=rows.layout,
            columns=options.columns,
            names=rows.names,
            blocks=lambda ahead: RecordBlocks(file, rows, max_row_bytes=limit, ahead=ahead),
            records=lambda start, _: rows.records(start),
            absent=_absent(options.columns, rows.names, line=0),
            fraction=rows.fraction,
            # The assembling process has to decompress too, and pyarrow takes memory in each process.
            most_readers=1,
        )
    if file_format == "jsonl":
        layout = forced or _layout_of_lines(file, options.columns, limit)
        offset = text_offset(file)
        return Source(
            file_format=file_format,
            is_document=is_document,
            position="row" if is_document else "line",
            layout=layout,
            columns=options.columns,
            blocks=lambda ahead: LineBlocks(file.fileno(), size, max_row_bytes=limit, ahead=ahead, offset=offset),
            records=lambda offset, lines: read_lines(file, max_row_bytes=limit),
            absent=_absent_in_lines(file, options.columns, limit) if options.columns else None,
            fraction=fraction,
        )
    # A table's column names are taken in lower case.
    columns = {field: column.strip().lower() for field, column in options.columns.items()}
    header = read_header(file, delimiter=delimiter, max_row_bytes=limit, skipped=skipped, titles=titles)
    return Source(
        file_format=file_format,
        delimiter=delimiter,
        layout=forced or detect_layout(fields_of(header.names, columns)),
        columns=columns,
        names=header.names,
        header=header,
        blocks=lambda ahead: TableBlocks(file.fileno(), size, max_row_bytes=limit, ahead=ahead, offset=header.size),
        records=lambda offset, lines: read_table(
            file, header.names, offset=offset, lines_before=lines, delimiter=delimiter, max_row_bytes=limit
        ),
        absent=_absent(columns, header.names, line=header.line),
        fraction=fraction,
    )


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


def _layout_of_lines(file: BinaryIO, columns: Mapping[str, str], limit: int) -> Layout | None:
    """The layout of the first line that has one."""
    for _, line in islice(bounded_lines(file, limit), LINES_FOR_LAYOUT):
        try:
            raw = parse_line(line) if line and line.strip() else None
        except RowProblem:
            continue
        if isinstance(raw, dict) and (layout := detect_layout(fields_of(raw, columns))):
            return layout
    return None
