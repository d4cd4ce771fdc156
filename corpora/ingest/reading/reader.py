"""Reads rows into batches: a block at a time by column, where that gives the same result, or row by row."""

from collections.abc import Iterable, Iterator
from itertools import compress
from operator import itemgetter
from typing import Any, Protocol

from corpora.ingest.batch import NO_MARKS, Batch, BatchBuilder, stored_marks, too_long
from corpora.ingest.columnar.columns import ColumnReader, Found
from corpora.ingest.columnar.json_rows import JsonRows
from corpora.ingest.columnar.table_rows import TableRows
from corpora.ingest.contracts import Finding, IngestSpec, Problem
from corpora.ingest.formats.source import Source
from corpora.ingest.layouts.canonical import Canonical
from corpora.ingest.problems import FileProblem, RowProblem
from corpora.ingest.reading.rules import Rules
from corpora.ingest.rows import digest
from corpora.ingest.texts.personal import Suspects

RECORDS = 500
"""Number of rows in a batch that is read row by row."""

MOST_UNUSED = 20
"""Largest number of unused columns that are listed."""


class Rows(Protocol):
    """Finds the rows in blocks of one format."""

    def find(self, data: memoryview) -> Found | None:
        """The content of a block, or None if the file must be read row by row from there on."""

    def raw(self, item: Any) -> Any:
        """One row as it is in the file. Raises RowProblem."""


class Reader:
    """Reads the rows of one file, all of them in one layout."""

    def __init__(self, spec: IngestSpec, source: Source) -> None:
        self._max_row_bytes = spec.max_row_bytes
        self._canonical = Canonical(source.layout, source.columns, spec.options, source.kept)
        self._rules = Rules(spec.options, spec.context)
        self._suspects = Suspects()
        self._rows = self._rows_of(source)
        self._by_column: ColumnReader | None = None
        if source.layout is not None and source.layout.by_column:
            self._by_column = ColumnReader(
                source.layout,
                self._canonical,
                longest=self._rules.longest_certain,
                suspects=self._suspects,
                max_row_bytes=spec.max_row_bytes,
            )

    def _rows_of(self, source: Source) -> Rows:
        if source.file_format == "jsonl":
            return JsonRows(source.layout, self._canonical, max_row_bytes=self._max_row_bytes)
        if source.file_format == "parquet":
            from corpora.ingest.columnar.parquet_rows import ParquetRows

            return ParquetRows(source.layout, self._canonical)
        return TableRows(
            source.layout,
            self._canonical,
            source.names,
            delimiter=source.delimiter,
            max_row_bytes=self._max_row_bytes,
        )

    def block(self, data: memoryview) -> Batch | None:
        """The rows of a block, or None if it must be read row by row. See `records`."""
        found = self._rows.find(data)
        if found is None:
            return None
        columns, odd = found.columns, found.odd
        if columns is None or self._by_column is None:
            return self._items(odd, found)
        batch, is_odd = self._by_column.read(columns, line_count=found.line_count)
        if is_odd.any():
            lines = columns.lines[is_odd].tolist()
            odd = sorted([*odd, *zip(lines, compress(found.items, is_odd), strict=True)], key=itemgetter(0))
        if odd:
            batch = batch.merged(self._items(odd, found))
        if len(batch.unused) >= MOST_UNUSED and (odd or not columns.same_in_all_rows):
            # The order of the rows decides which of them are listed.
            rows = [*found.odd, *zip(columns.lines.tolist(), found.items, strict=True)]
            return self._items(sorted(rows, key=itemgetter(0)), found)
        return batch

    def too_long(self) -> Batch:
        """The batch for a line over the limit."""
        builder = BatchBuilder(self._max_row_bytes)
        builder.findings.append(_finding(too_long(self._max_row_bytes), 1))
        return builder.batch(line_count=1)

    def records(self, records: Iterable[tuple[int, Any] | Problem], *, before: int) -> Iterator[Batch]:
        """Batches of (line, row) or problems, in order, behind `before` lines that were read. Raises FileProblem."""
        builder, begun = BatchBuilder(self._max_row_bytes), before
        try:
            for record in records:
                if isinstance(record, Problem):
                    line = record.line
                    builder.findings.append(Finding(line - begun, record.field, record.code, record.text, kept=False))
                else:
                    line, raw = record
                    self._add(builder, line - begun, raw)
                if len(builder) + len(builder.findings) >= RECORDS:
                    yield builder.batch(line_count=line - begun)
                    builder, begun = BatchBuilder(self._max_row_bytes), line
        except FileProblem:
            # The rows before the problem are still checked.
            yield builder.batch(line_count=0)
            raise
        yield builder.batch(line_count=0)

    def _items(self, items: Iterable[tuple[int, Any]], found: Found) -> Batch:
        """Rows that are read one by one."""
        builder = BatchBuilder(self._max_row_bytes)
        for line, item in items:
            try:
                raw = self._rows.raw(item)
            except RowProblem as problem:
                builder.findings.append(_finding(problem, line))
            else:
                self._add(builder, line, raw)
        return builder.batch(line_count=found.line_count)

    def _add(self, builder: BatchBuilder, line: int, raw: Any) -> None:
        try:
            messages, tools, marks, notices = self._canonical.read(raw)
            named = digest(messages, tools)
            suspicious = bool(self._suspects.scan(named.conversation))
            if marks is not NO_MARKS:
                suspicious = suspicious or bool(self._suspects.scan(stored_marks(marks)))
            long = len(named.conversation) > self._rules.longest_certain
            if suspicious or long:
                ruling = self._rules.apply(line, messages, marks, suspicious=suspicious, long=long, tools=tools)
                builder.findings += ruling.findings
                if ruling.messages is None:
                    return
                if ruling.messages != messages:
                    named = digest(ruling.messages, tools)
                messages, marks = ruling.messages, ruling.marks
            builder.add(line, messages, named, marks)
            builder.findings += (Finding(line, "", code, NOTICES[code], kept=True) for code in notices)
        except RowProblem as problem:
            builder.findings.append(_finding(problem, line))
            return
        if len(builder.unused) < MOST_UNUSED:
            builder.unused |= self._canonical.unused(raw)


NOTICES = {
    "dataset:uses_tools": "The row uses tools. The chat template of the base model must support them.",
    "dataset:not_learnt": "An answer of the row has the weight 0. The model reads it, but does not learn it.",
    "dataset:reasoning": "The row has reasoning besides its answers.",
    "dataset:empty_prompt": "The prompt is empty. The model learns to write the answer without a question.",
}


def _finding(problem: RowProblem, line: int) -> Finding:
    return Finding(line, problem.field, problem.code, problem.text, kept=False)
