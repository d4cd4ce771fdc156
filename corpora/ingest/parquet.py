"""Parquet with the same columns."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from corpora.ingest.canonical import MARKS
from corpora.ingest.layouts import LAYOUTS, Layout, detect_layout
from corpora.ingest.problems import FileProblem, joined, shown

# Rows at a time: few enough for rows of the greatest length to fit in memory.
BATCH_ROWS = 64
READ_BYTES = 1 << 20

_TIMES = re.compile("timestamp|time64|date|duration")

KNOWN = tuple(dict.fromkeys(name for layout in LAYOUTS for name in (*layout.required, *layout.optional))) + MARKS


class ParquetRows:
    """Reads one file; `fraction` of its rows have been read."""

    def __init__(self, file: BinaryIO, columns: Mapping[str, str], forced: Layout | None) -> None:
        try:
            self._file = pq.ParquetFile(file, buffer_size=READ_BYTES, pre_buffer=False)
            self.names: list[str] = self._file.schema_arrow.names
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise _damaged(0) from error
        twice = next((name for name, count in Counter(self.names).items() if count > 1), None)
        if twice is not None:
            text = f"Two columns are named “{shown(twice)}”. Rename or remove one."
            raise FileProblem("dataset:duplicate_key", text, field=shown(twice))
        wanted = dict.fromkeys((*KNOWN, *columns.values()))
        self._columns = [name for name in wanted if name in self.names]
        self._rows: int = max(1, self._file.metadata.num_rows)
        self._read = 0
        fields = {column: field for field, column in columns.items()}
        self.layout = forced or detect_layout(fields.get(name, name) for name in self.names)

    def fraction(self) -> float:
        """Share of the rows read."""
        return self._read / self._rows

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        batches = self._file.iter_batches(batch_size=BATCH_ROWS, columns=self._columns, use_threads=False)
        while True:
            try:
                batch = next(batches, None)
                rows = batch.to_pylist() if batch is not None else None
            except UnicodeDecodeError as error:
                raise FileProblem("dataset:encoding", "A text here is not UTF-8.", line=self._read + 1) from error
            except MemoryError as error:
                text = "The rows from here on are too large to be read. Shorten them."
                raise FileProblem("dataset:row_too_long", text, line=self._read + 1) from error
            except (pa.ArrowException, OSError) as error:
                raise _damaged(self._read + 1) from error
            except (ValueError, OverflowError) as error:
                raise self._unreadable(self._read + 1) from error
            if rows is None:
                return
            for row in rows:
                self._read += 1
                yield self._read, row

    def _unreadable(self, row: int) -> FileProblem:
        """Python knows no nanoseconds, and no years before 1 or after 9999."""
        types = {name: str(self._file.schema_arrow.field(name).type) for name in self._columns}
        times = [name for name, kind in types.items() if _TIMES.search(kind)]
        if not times:
            return _damaged(row)
        text = f"A date or time in {joined(times)} cannot be read. Save such a column as text, or leave it out."
        return FileProblem("data_type", text, line=row, field=shown(times[0]))


def _damaged(row: int) -> FileProblem:
    text = "The Parquet file is damaged or cut short. Write it again and upload the new file."
    return FileProblem("dataset:broken_file", text, line=row)
