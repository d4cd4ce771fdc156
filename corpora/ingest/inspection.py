"""The preview of a file: how its head is read with the current options."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec.structs import replace as replace_in

from corpora.ingest.batch import Marks
from corpora.ingest.check import checked_sha256, damaged
from corpora.ingest.contracts import FIELDS, SHOWN_COLUMNS, IngestSpec, Inspection, Problem, Row, Turn
from corpora.ingest.formats.lines import bounded_lines
from corpora.ingest.formats.readable import Readable
from corpora.ingest.formats.source import Source, open_source
from corpora.ingest.layouts.canonical import Canonical
from corpora.ingest.layouts.guessing import propose
from corpora.ingest.layouts.known import PREFERENCES
from corpora.ingest.layouts.kto import NOT_CHOSEN
from corpora.ingest.layouts.unsupported import unsupported
from corpora.ingest.metadata import keepable_columns
from corpora.ingest.problems import FileProblem, RowProblem
from corpora.ingest.reading.rules import Rules
from corpora.ingest.rows import digest, row_id
from corpora.ingest.texts.personal import Suspects

HEAD_ROWS = 50
HEAD_BYTES = 4 << 20
COUNTED_BYTES = 16 << 20
"""Size of a file up to which its rows are counted."""

SHOWN_ROWS = 5
NAMED_COLUMNS = 500
"""Largest number of columns offered for mapping."""

SHORT_BYTES = 16 << 10
"""Size of a row that is quickly searched for personal data; longer ones are first looked through for a suspicion."""

NAME_CHARACTERS = 200
CELL_CHARACTERS = 300
TEXT_CHARACTERS = 2_000


def inspect_file(path: Path, spec: IngestSpec, *, scratch: Path) -> Inspection:
    """Read the head of the file at `path`. Raises RunError if it is not the uploaded file."""
    if path.stat().st_size != spec.bytes:
        raise damaged()
    sha256 = checked_sha256(path, spec)
    with Readable(path, spec, scratch=scratch, head_bytes=HEAD_BYTES, head_rows=HEAD_ROWS) as file:
        try:
            file.prepare()
            seen = _look_into(file, spec)
            if any(problem.code == "dataset:encoding" for problem in seen["problems"]) and file.turn_to_windows_1252():
                seen = _look_into(file, spec)
        except FileProblem as problem:
            seen = {"file_format": "", "problems": (_stopping(problem),)}
        seen.pop("raws", None)
        return Inspection(
            upload_sha256=sha256,
            bytes=spec.bytes,
            packed=bool(file.packing),
            packing=file.packing,
            encoding=file.encoding,
            converted=tuple(replace(change, text=_cut(change.text, CELL_CHARACTERS)) for change in file.converted),
            **seen,
        )


def _look_into(readable: Readable, spec: IngestSpec) -> dict[str, Any]:
    """The fields of an Inspection, with proposed columns where the file's own say nothing."""
    with readable.path.open("rb") as file:
        try:
            seen = _look(file, spec, readable)
            return _with_proposal(file, spec, seen, readable) or seen
        except FileProblem as problem:
            return {"file_format": "", "problems": (_stopping(problem),), "warnings": tuple(readable.notices())}


def _look(file: BinaryIO, spec: IngestSpec, readable: Readable) -> dict[str, Any]:
    """The fields of an Inspection, and `raws`, the rows read as they stand in the file."""
    size = file.seek(0, 2)
    file.seek(0)
    source = open_source(file, size=size, spec=spec, is_document=readable.is_document)
    head = _Head(source, spec)
    problems: list[Problem] = []
    row_count = None
    try:
        source.check_names()
    except FileProblem as problem:
        problems.append(_stopping(problem))
    records = iter(source.records(source.header.size, source.header.lines))
    try:
        for record in islice(records, HEAD_ROWS):
            head.take(record)
        if readable.is_whole:
            row_count = _row_count(file, size, spec, source, head.rows_read, records)
    except FileProblem as problem:
        head.problems.append(_stopping(problem))
    return {
        "file_format": source.shown_format,
        "position": source.position,
        "warnings": (*readable.notices(), *source.notices()),
        "delimiter": source.delimiter,
        "layout": source.layout.name if source.layout else "",
        "columns": tuple(head.columns.names),
        "mapping": head.columns.mapping,
        "guessed": source.guessed,
        "ignored": tuple(sorted(map(_name, head.ignored)))[:NAMED_COLUMNS],
        "metadata": source.kept,
        "keepable": tuple(head.keepable())[:SHOWN_COLUMNS],
        "sample": tuple(map(_cells, head.raws[:SHOWN_ROWS])),
        "rows": tuple(head.rows[:SHOWN_ROWS]),
        "rows_read": head.rows_read,
        "rows_with_problems": len(head.problems),
        "row_count": row_count,
        "notices": dict(+head.notices),
        "problems": tuple([*problems, *head.problems][:HEAD_ROWS]),
        "raws": head.raws,
    }


def _with_proposal(file: BinaryIO, spec: IngestSpec, seen: dict[str, Any], readable: Readable) -> dict[str, Any] | None:
    """The same file seen with proposed columns, or None where none are needed or none help."""
    if seen["rows"] or spec.options.columns or seen["layout"] in PREFERENCES or unsupported(set(seen["columns"])):
        return None
    proposed = propose(seen["raws"], spec.options.layout)
    if not proposed or set(proposed) <= set(seen["mapping"]):
        return None
    options = replace(spec.options, columns=proposed)
    again = _look(file, replace(spec, options=options), readable)
    if not again["rows"]:
        return None
    guessed = tuple(dict.fromkeys((*again["guessed"], *proposed)))
    return again | {"guessed": guessed, "proposed": tuple(proposed)}


def _row_count(
    file: BinaryIO, size: int, spec: IngestSpec, source: Source, rows_read: int, rest: Iterator[Any]
) -> int | None:
    """The number of rows of a whole file that is not too large to be counted now."""
    if rows_read < HEAD_ROWS:
        return rows_read
    if source.row_count is not None:
        return source.row_count
    if size > COUNTED_BYTES or source.is_document:
        return None
    if source.file_format == "jsonl":
        return sum(line is None or bool(line.strip()) for _, line in bounded_lines(file, spec.max_row_bytes))
    try:
        return rows_read + sum(1 for _ in rest)
    except FileProblem:
        return None


class _Head:
    """What the first rows of a file say."""

    def __init__(self, source: Source, spec: IngestSpec) -> None:
        self._is_unreadable = source.layout is None and bool(source.names)
        self._canonical = Canonical(source.layout, source.columns, spec.options, source.kept)
        self._rules = Rules(spec.options, spec.context)
        self._seen: set[str] = set()
        self.columns = _Columns(source.columns)
        self.columns.add(source.names)
        self.raws: list[Mapping[Any, Any]] = []
        self.rows: list[Row] = []
        self.problems: list[Problem] = []
        self.notices: Counter[str] = Counter()
        self.ignored = self._canonical.unused(source.names) if source.layout else set()
        self.rows_read = 0

    @cached_property
    def _suspects(self) -> Suspects:
        return Suspects()

    def take(self, record: tuple[int, Any] | Problem) -> None:
        """Take the next row, or why it cannot be read."""
        self.rows_read += 1
        if isinstance(record, Problem):
            self.problems.append(record)
            return
        line, raw = record
        if isinstance(raw, Mapping):
            self.columns.add(raw)
            self.raws.append(raw)
        if self._is_unreadable:
            return
        try:
            self._read(line, raw)
        except RowProblem as problem:
            if problem.code == NOT_CHOSEN:
                self.notices[NOT_CHOSEN] += 1
            else:
                self.problems.append(problem.at(line))

    def keepable(self) -> list[str]:
        """The columns that could be kept for filtering."""
        if self._canonical.layout is None:
            return []
        return keepable_columns(self.raws, self._canonical.used({name for raw in self.raws for name in raw}))

    def _read(self, line: int, raw: Any) -> None:
        messages, tools, marks, notices = self._canonical.read(raw)
        conversation = digest(messages, tools).conversation
        suspicious = len(conversation) <= SHORT_BYTES or bool(self._suspects.scan(conversation))
        long = len(conversation) > self._rules.longest_certain
        ruling = self._rules.apply(line, messages, marks, suspicious=suspicious, long=long, tools=tools)
        self.notices.update(notices)
        self.notices.update(finding.code for finding in ruling.findings)
        self.ignored |= self._canonical.unused(raw)
        if ruling.messages is None:
            return
        row = _row(ruling.messages, tools, ruling.marks)
        self.notices["dataset:duplicate_row"] += row.id in self._seen
        self._seen.add(row.id)
        self.rows.append(row)


def _stopping(problem: FileProblem) -> Problem:
    return replace(problem.at(problem.line), stops=True)


class _Columns:
    """The file's columns as they can be shown and stored, and which of them stands for which field."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        # A column that stands for something is nothing else beside.
        self._fields = {**dict.fromkeys(columns), **{column: field for field, column in columns.items()}}
        self.names: dict[str, None] = {}
        self.mapping: dict[str, str] = {}

    def add(self, names: Iterable[Any]) -> None:
        """Take the columns of the file or of one row; those without a name cannot be chosen."""
        for name in names:
            field = self._fields.get(name, name)
            if not name or (len(self.names) >= NAMED_COLUMNS and field not in FIELDS):
                continue
            shown = _name(name)
            self.names[shown] = None
            if field in FIELDS:
                self.mapping[field] = shown


def _row(messages: list[Turn], tools: bytes, marks: Marks) -> Row:
    shown = tuple(replace_in(turn, content=_cut(turn.content, TEXT_CHARACTERS)) for turn in messages)
    definitions = msgspec.json.decode(tools, type=tuple[dict[str, Any], ...]) if tools else ()
    return Row(row_id(messages, tools), marks.slice, marks.label, shown, definitions, dict(marks.metadata))


def _cells(raw: Mapping[Any, Any]) -> dict[str, str]:
    """The row's first columns as short texts."""
    return {_name(key): _text(value) for key, value in islice(raw.items(), SHOWN_COLUMNS)}


def _name(key: Any) -> str:
    return _cut(str(key), NAME_CHARACTERS)


def _text(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return _cut(text, CELL_CHARACTERS)


def _cut(text: str, limit: int) -> str:
    safe = text.encode("utf-8", "replace").decode().replace("\0", "�")
    return safe if len(safe) <= limit else f"{safe[:limit]}…"
