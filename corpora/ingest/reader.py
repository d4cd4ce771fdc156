"""Reads rows into batches: a block of JSON Lines at a time, or records of a table or a Parquet file."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import compress
from typing import Any

from corpora.ingest.batch import NO_MARKS, Batch, BatchBuilder, stored_marks, too_long
from corpora.ingest.canonical import Canonical
from corpora.ingest.columns import ColumnReader
from corpora.ingest.contracts import Finding, IngestSpec, Problem
from corpora.ingest.jsonl import parse_line
from corpora.ingest.layouts import Layout
from corpora.ingest.personal import Suspects
from corpora.ingest.problems import FileProblem, RowProblem
from corpora.ingest.rows import digest
from corpora.ingest.rules import Rules
from corpora.ingest.typed_lines import TypedLines, whole_lines

RECORDS = 500
"""Rows of a table that make a batch."""

MOST_UNUSED = 20
"""So many unused columns are enough to name."""


class Reader:
    """Reads the rows of one file, all of them in one layout."""

    def __init__(self, spec: IngestSpec, layout: Layout | None, columns: Mapping[str, str]) -> None:
        self.layout = layout
        self._max_row_bytes = spec.max_row_bytes
        self._canonical = Canonical(layout, columns)
        self._rules = Rules(spec.options, spec.context)
        self._suspects = Suspects()
        self._typed: TypedLines | None = None
        self._by_column: ColumnReader | None = None
        if layout is not None:
            self._typed = TypedLines(layout, self._canonical, max_row_bytes=spec.max_row_bytes)
            self._by_column = ColumnReader(
                layout,
                self._canonical,
                longest=self._rules.longest_certain,
                suspects=self._suspects,
                max_row_bytes=spec.max_row_bytes,
            )

    def block(self, data: memoryview) -> Batch:
        """The rows of whole lines of JSON Lines."""
        text = bytes(data)
        line_count = text.count(b"\n") + (not text.endswith(b"\n"))
        columns, lines, odd = self._typed.read(text) if self._typed else (None, [], whole_lines(text))
        if columns is None or self._by_column is None:
            return self._lines(odd, line_count=line_count)
        batch, is_odd = self._by_column.read(columns, line_count=line_count)
        odd = sorted([*odd, *compress(lines, is_odd)])
        if odd:
            batch = batch.merged(self._lines(odd, line_count=line_count))
        if len(batch.unused) >= MOST_UNUSED and (odd or not columns.same_in_all_rows):
            # Which of them are named depends on the order of the rows.
            return self._lines(whole_lines(text), line_count=line_count)
        return batch

    def too_long(self) -> Batch:
        """What stands for a line that is too long to be read."""
        builder = BatchBuilder(self._max_row_bytes)
        builder.findings.append(_finding(too_long(self._max_row_bytes), 1))
        return builder.batch(line_count=1)

    def records(self, records: Iterable[tuple[int, Any] | Problem]) -> Iterator[Batch]:
        """Batches of (line, row) or problems, in order; lines count from the file's first. Raises FileProblem."""
        builder, begun = BatchBuilder(self._max_row_bytes), 0
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
            # The rows before it are judged all the same.
            yield builder.batch(line_count=0)
            raise
        yield builder.batch(line_count=0)

    def _lines(self, lines: Iterable[tuple[int, bytes]], *, line_count: int) -> Batch:
        builder = BatchBuilder(self._max_row_bytes)
        for number, line in lines:
            if not line.strip():
                continue
            try:
                if len(line.removesuffix(b"\r")) > self._max_row_bytes:
                    raise too_long(self._max_row_bytes)
                raw = parse_line(line)
            except RowProblem as problem:
                builder.findings.append(_finding(problem, number))
            else:
                self._add(builder, number, raw)
        return builder.batch(line_count=line_count)

    def _add(self, builder: BatchBuilder, line: int, raw: Any) -> None:
        try:
            messages, marks = self._canonical.read(raw)
            named = digest(messages)
            suspicious = bool(self._suspects.scan(named.conversation))
            if marks is not NO_MARKS:
                suspicious = suspicious or bool(self._suspects.scan(stored_marks(marks)))
            long = len(named.conversation) > self._rules.longest_certain
            if suspicious or long:
                ruling = self._rules.apply(line, messages, marks, suspicious=suspicious, long=long)
                builder.findings += ruling.findings
                if ruling.messages is None:
                    return
                if ruling.messages != messages:
                    named = digest(ruling.messages)
                messages, marks = ruling.messages, ruling.marks
            builder.add(line, messages, named, marks)
        except RowProblem as problem:
            builder.findings.append(_finding(problem, line))
            return
        if len(builder.unused) < MOST_UNUSED:
            builder.unused |= self._canonical.unused(raw)


def _finding(problem: RowProblem, line: int) -> Finding:
    return Finding(line, problem.field, problem.code, problem.text, kept=False)
