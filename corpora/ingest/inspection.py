"""The preview of a file: how its head is read with the current options."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec.structs import replace as replace_in

from corpora.ingest.check import checked_sha256, damaged
from corpora.ingest.contracts import FIELDS, SHOWN_COLUMNS, IngestSpec, Inspection, Problem, Row
from corpora.ingest.formats.readable import Readable
from corpora.ingest.formats.source import open_source
from corpora.ingest.layouts.canonical import Canonical
from corpora.ingest.problems import FileProblem, RowProblem
from corpora.ingest.rows import row_id

HEAD_ROWS = 50
HEAD_BYTES = 4 << 20
SHOWN_ROWS = 5
NAMED_COLUMNS = 500
"""Largest number of columns offered for mapping."""

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
    with readable.path.open("rb") as file:
        try:
            return _look(file, spec, readable)
        except FileProblem as problem:
            return {"file_format": "", "problems": (_stopping(problem),), "warnings": tuple(readable.notices())}


def _look(file: BinaryIO, spec: IngestSpec, readable: Readable) -> dict[str, Any]:
    size = file.seek(0, 2)
    file.seek(0)
    source = open_source(file, size=size, spec=spec, is_document=readable.is_document)
    canonical = Canonical(source.layout, source.columns, spec.options)
    sample: list[dict[str, str]] = []
    rows: list[Row] = []
    problems: list[Problem] = []
    columns = _Columns(source.columns)
    columns.add(source.names)
    try:
        source.check_names()
    except FileProblem as problem:
        problems.append(_stopping(problem))
    try:
        for record in islice(source.records(source.header.size, source.header.lines), HEAD_ROWS):
            if isinstance(record, Problem):
                problems.append(record)
                continue
            line, raw = record
            if isinstance(raw, Mapping):
                columns.add(raw)
                if len(sample) < SHOWN_ROWS:
                    sample.append(_cells(raw))
            if source.layout is None and source.names:
                continue
            try:
                rows.append(_row(canonical, raw))
            except RowProblem as problem:
                problems.append(problem.at(line))
    except FileProblem as problem:
        problems.append(_stopping(problem))
    return {
        "file_format": source.shown_format,
        "position": source.position,
        "warnings": (*readable.notices(), *source.notices()),
        "delimiter": source.delimiter,
        "layout": source.layout.name if source.layout else "",
        "columns": tuple(columns.names),
        "mapping": columns.mapping,
        "guessed": source.guessed,
        "sample": tuple(sample),
        "rows": tuple(rows[:SHOWN_ROWS]),
        "problems": tuple(problems[:SHOWN_ROWS]),
    }


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


def _row(canonical: Canonical, raw: Any) -> Row:
    messages, tools, marks, _ = canonical.read(raw)
    shown = tuple(replace_in(turn, content=_cut(turn.content, TEXT_CHARACTERS)) for turn in messages)
    definitions = msgspec.json.decode(tools, type=tuple[dict[str, Any], ...]) if tools else ()
    return Row(row_id(messages, tools), marks.slice, marks.label, shown, definitions)


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
