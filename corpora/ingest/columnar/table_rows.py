"""Reads the rows of a CSV or TSV file by column."""

import csv
import io
from collections.abc import Mapping, Sequence
from itertools import compress
from typing import Any

import numpy as np

from corpora.ingest.columnar.columns import Columns, Found
from corpora.ingest.formats.tables import by_name, wrong_width
from corpora.ingest.layouts.canonical import Canonical
from corpora.ingest.layouts.known import MARKS
from corpora.ingest.layouts.layout import Layout
from corpora.ingest.metadata import short_text


class TableRows:
    """Finds rows in blocks of whole lines after the header."""

    def __init__(
        self, layout: Layout | None, canonical: Canonical, names: Sequence[str], *, delimiter: str, max_row_bytes: int
    ) -> None:
        self._names = names
        self._delimiter = delimiter
        self._max_row_bytes = max_row_bytes
        # Of two columns with one name, the later one wins, as in `by_name`.
        last = {name: place for place, name in enumerate(names)}
        self._kept = {column: last[column] for column in canonical.kept if column in last}
        self._fields: dict[str, int] = {}
        """The position of the column that a field is read from."""
        if layout and layout.by_column and "messages" not in layout.required:
            # Of two columns without a name, the later one wins.
            places = {name: place for place, name in enumerate(names)}
            fields = {field: canonical.column_of(field) for field in (*layout.fields, *MARKS)}
            self._fields = {field: places[name] for field, name in fields.items() if name in places}
            if not self._fields.keys() >= set(layout.required):
                self._fields = {}

    def find(self, data: memoryview) -> Found | None:
        """The rows of a block, with their cells as items, or None if the block may end inside a row."""
        try:
            text = str(data, "utf-8")
        except UnicodeDecodeError:
            return None
        reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=self._delimiter, strict=True)
        rows, ends = [], []
        try:
            for cells in reader:
                rows.append(cells)
                ends.append(reader.line_num)
        except csv.Error:
            return None
        breaks = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n")) + 1
        line_ends = breaks if text.endswith("\n") else np.append(breaks, len(data))
        behind = np.array(ends, dtype=np.int64)
        if np.diff(line_ends[behind - 1], prepend=0).max(initial=0) > self._max_row_bytes:
            return None
        lines = np.concatenate(([0], behind[:-1])) + 1
        width = len(self._names)
        is_whole = np.array([len(cells) == width and any(cells) for cells in rows], dtype=np.bool_)
        if not self._fields:
            is_whole[:] = False
        odd = [(int(lines[row]), rows[row]) for row in np.flatnonzero(~is_whole).tolist() if any(rows[row])]
        if not is_whole.any():
            return Found(len(line_ends), None, [], odd)
        whole = list(compress(rows, is_whole.tolist()))
        by_column = list(zip(*whole, strict=True))
        fields = {field: by_column[place] for field, place in self._fields.items()}
        others = dict(zip(self._names, by_column, strict=True))
        metadata = {short_text(column): list(map(short_text, by_column[place])) for column, place in self._kept.items()}
        return Found(len(line_ends), Columns(fields, lines[is_whole], others, metadata=metadata), whole, odd)

    def raw(self, cells: list[str]) -> Mapping[str, Any]:
        """The cells by name. Raises RowProblem."""
        if len(cells) != len(self._names):
            raise wrong_width(len(cells), len(self._names))
        return by_name(self._names, cells)
