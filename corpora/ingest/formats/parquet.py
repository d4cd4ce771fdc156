"""Parquet files with the columns of the other formats."""

import multiprocessing
import os
import re
import signal
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import cycle
from mmap import mmap
from multiprocessing.connection import Connection
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import types

from corpora.ingest.background import Background
from corpora.ingest.contracts import SHOWN_COLUMNS, IngestSpec
from corpora.ingest.formats.blocks import BLOCK_BYTES, BLOCK_LINES, Block, shared_buffers
from corpora.ingest.layouts.known import LAYOUTS, MARKS, recognise
from corpora.ingest.limits import too_large, too_many_values, unpacked_limit, values_limit
from corpora.ingest.metadata import NESTED
from corpora.ingest.problems import FileProblem, joined, shown
from lorakit.errors import RunError

# Rows in a batch: few enough for rows of the largest size to fit in memory.
BATCH_ROWS = 64
READ_BYTES = 1 << 20
RELEASE_AFTER = 6
"""Number of blocks after which free memory is returned to the system."""

ENDED_BY_PYARROW = (-signal.SIGABRT, -signal.SIGSEGV)
STREAM_BYTES = 1 << 16
"""Upper limit of an Arrow stream's overhead for a batch."""

_fork = multiprocessing.get_context("fork")
_TIMES = re.compile("timestamp|time64|date|duration")

KNOWN = tuple(dict.fromkeys(name for layout in LAYOUTS for name in layout.fields)) + MARKS


class ParquetTable:
    """One Parquet file. Raises FileProblem if it is damaged, or unpacks to far more than its size."""

    def __init__(self, file: BinaryIO, spec: IngestSpec) -> None:
        try:
            self._file = pq.ParquetFile(file, buffer_size=READ_BYTES, pre_buffer=False)
            self.names: list[str] = self._file.schema_arrow.names
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise _damaged(0) from error
        twice = next((name for name, count in Counter(self.names).items() if count > 1), None)
        if twice is not None:
            text = f"Two columns are named “{shown(twice)}”. Rename or remove one."
            raise FileProblem("dataset:duplicate_key", text, field=shown(twice))
        most = _most_values(self._file.metadata)
        if most > values_limit(spec):
            raise too_many_values(most, spec.bytes)
        examples = {field.name: example_of(field.type) for field in self._file.schema_arrow} | self._first_texts()
        self.recognised = recognise(examples, spec.options.columns, spec.options.layout)
        wanted = dict.fromkeys((*KNOWN, *self.recognised.columns.values()))
        if spec.task == "inspect":
            fields = list(self._file.schema_arrow)[:SHOWN_COLUMNS]
            wanted |= dict.fromkeys(field.name for field in fields if _can_be_shown(field.type))
        self._columns = [name for name in wanted if name in self.names]
        self._class_names = class_names(self._file.schema_arrow.metadata or {})
        self._most_bytes = unpacked_limit(spec)
        self.rows: int = max(1, self._file.metadata.num_rows)
        self._read = 0

    def categories(self, most: int) -> list[Mapping[str, Any]]:
        """The first rows, at most `most`, with only the columns that may be kept for filtering."""
        names = [field.name for field in self._file.schema_arrow if _can_be_kept(field)][:SHOWN_COLUMNS]
        try:
            batch = next(self._file.iter_batches(batch_size=most, columns=names, use_threads=False), None)
            return self._as_texts(batch).to_pylist() if batch else []
        except (pa.ArrowException, OSError, ValueError, MemoryError):
            return []

    def keep(self, columns: Iterable[str]) -> None:
        """Also read these columns, or fields of the rows' metadata."""
        names = (name if name in self.names else NESTED for name in columns)
        self._columns += [name for name in dict.fromkeys(names) if name in self.names and name not in self._columns]

    def fraction(self) -> float:
        """Share of the rows read."""
        return self._read / self.rows

    def _first_texts(self) -> dict[str, Any]:
        """The first row's texts, which may be conversations. Empty if they cannot be read, which is said later."""
        names = [field.name for field in self._file.schema_arrow if types.is_string(field.type)][:SHOWN_COLUMNS]
        try:
            batch = next(self._file.iter_batches(batch_size=1, columns=names, use_threads=False), None)
            return dict(batch.to_pylist()[0]) if batch else {}
        except (pa.ArrowException, OSError, ValueError, MemoryError):
            return {}

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All rows, BATCH_ROWS at a time. Raises FileProblem when they exceed the unpacked limit."""
        size = 0
        for batch in self._file.iter_batches(batch_size=BATCH_ROWS, columns=self._columns, use_threads=False):
            size += sum(map(_unpacked_bytes, batch.columns))
            if size > self._most_bytes:
                raise too_large(self._most_bytes)
            yield self._as_texts(batch)

    def _as_texts(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with the names of classes for their numbers, and binary columns as text. Raises FileProblem."""
        for place, (name, values) in enumerate(zip(batch.schema.names, batch.columns, strict=True)):
            if name in self._class_names and types.is_integer(values.type):
                batch = batch.set_column(place, name, _named(values, self._class_names[name]))
            elif types.is_binary(values.type) or types.is_large_binary(values.type):
                try:
                    batch = batch.set_column(place, name, values.cast(pa.large_string()))
                except pa.ArrowInvalid:
                    text = f"The column “{shown(name)}” is binary data and not UTF-8 text. Save it as text."
                    raise FileProblem("dataset:encoding", text, field=shown(name)) from None
        return batch

    def records(self, start: int) -> Iterator[tuple[int, Any]]:
        """(number, row) of those behind the first `start`; raises FileProblem."""
        batches = self.batches()
        self._read = 0
        while True:
            try:
                batch = next(batches, None)
                if batch is not None and self._read + len(batch) <= start:
                    self._read += len(batch)
                    continue
                rows = batch.to_pylist() if batch is not None else None
            except UnicodeDecodeError as error:
                raise FileProblem(
                    "dataset:encoding",
                    "The text in this row is not UTF-8. Save the file with UTF-8 text.",
                    line=self._read + 1,
                ) from error
            except MemoryError as error:
                text = "The rows from here on are too large. Shorten them."
                raise FileProblem("dataset:row_too_long", text, line=self._read + 1) from error
            except (pa.ArrowException, OSError) as error:
                raise _damaged(self._read + 1) from error
            except (ValueError, OverflowError) as error:
                raise self._unreadable(self._read + 1) from error
            if rows is None:
                return
            for row in rows:
                self._read += 1
                if self._read > start:
                    yield self._read, row

    def _unreadable(self, row: int) -> FileProblem:
        """Python knows no nanoseconds, and no years before 1 or after 9999."""
        types = {name: str(self._file.schema_arrow.field(name).type) for name in self._columns}
        times = [name for name, kind in types.items() if _TIMES.search(kind)]
        if not times:
            return _damaged(row)
        text = f"A date or time in {joined(times)} cannot be read. Save the column as text, or remove it."
        return FileProblem("data_type", text, line=row, field=shown(times[0]))


def _can_be_kept(field: pa.Field) -> bool:
    if types.is_struct(field.type):
        return bool(field.name == NESTED)
    kind = field.type.value_type if types.is_dictionary(field.type) else field.type
    return bool(
        types.is_string(kind) or types.is_large_string(kind) or types.is_integer(kind) or types.is_boolean(kind)
    )


def class_names(metadata: Mapping[bytes, bytes]) -> dict[str, list[str]]:
    """The names of the classes that a column's numbers stand for, by column, as Hugging Face `datasets` stores them."""
    try:
        features = msgspec.json.decode(metadata[b"huggingface"])["info"]["features"]
        return {
            name: [str(item) for item in feature["names"]]
            for name, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and "names" in feature
        }
    except (KeyError, TypeError, AttributeError, msgspec.DecodeError):
        return {}


def _named(values: pa.Array, names: list[str]) -> pa.Array:
    """The names of numbered classes; null for a number without one, which is -1 where nobody said the class."""
    known = pc.and_(pc.greater_equal(values, 0), pc.less(values, len(names)))
    return pa.array(names, pa.string()).take(pc.if_else(known, values, None))


def example_of(kind: pa.DataType) -> Any:
    """A value as columns of this type have them, which tells a layout without reading any."""
    if types.is_struct(kind):
        return {field.name: example_of(field.type) for field in kind}
    if types.is_list(kind) or types.is_large_list(kind):
        return [example_of(kind.value_type)]
    return False if types.is_boolean(kind) else None


class RecordBlocks:
    """Blocks of record batches, each an Arrow stream. They end before a batch that is too large or unreadable."""

    def __init__(self, file: BinaryIO, table: ParquetTable, *, max_row_bytes: int, ahead: int) -> None:
        self._file = file
        self._table = table
        self._batches = table.batches()
        self._next: pa.RecordBatch | None = None
        self.buffers = shared_buffers(ahead + 1, max_row_bytes)
        self.position = 0
        self._sha256 = sha256()
        self._hashing = Background()

    def fraction(self) -> float:
        """Share of the rows that have been read."""
        return self.position / self._table.rows

    def is_done(self) -> bool:
        """Whether all of them have been read."""
        return self.position >= self._table.rows

    def sha256(self) -> str:
        """SHA-256 of the file in hexadecimal."""
        self._hashing.wait()
        return self._sha256.hexdigest()

    def close(self) -> None:
        """End the hashing thread."""
        self._hashing.close()

    def __iter__(self) -> Iterator[Block]:
        """In the file's order."""
        self._hashing.do(self._hash)
        for number, (place, buffer) in enumerate(cycle(enumerate(self.buffers))):
            size, rows = self._fill(buffer)
            if not rows:
                return
            self.position += rows
            if number % RELEASE_AFTER == 0:
                # Pages of all sizes are allocated and freed, and the heap keeps the gaps between them.
                pa.default_memory_pool().release_unused()
            yield Block(place, size, self.position - rows)

    def _fill(self, buffer: mmap) -> tuple[int, int]:
        """(bytes, rows) that were written."""
        self._next = self._next or self._read()
        if self._next is None:
            return 0, 0
        rows = 0
        sink = pa.FixedSizeBufferWriter(pa.py_buffer(buffer))
        with pa.ipc.new_stream(sink, self._next.schema) as stream:
            while (
                self._next
                and sink.tell() < BLOCK_BYTES // 2
                and rows < BLOCK_LINES
                and self._next.nbytes + STREAM_BYTES < len(buffer) - sink.tell()
            ):
                stream.write_batch(self._next)
                rows += len(self._next)
                self._next = self._read()
        return sink.tell(), rows

    def _read(self) -> pa.RecordBatch | None:
        try:
            return next(self._batches, None)
        except (pa.ArrowException, OSError, ValueError, MemoryError):
            return None

    def _hash(self) -> None:
        position = 0
        while data := os.pread(self._file.fileno(), READ_BYTES, position):
            self._sha256.update(data)
            position += len(data)


def _can_be_shown(kind: pa.DataType) -> bool:
    """Whether a column that nothing is read from may be shown: not pictures and the like, which may be large."""
    is_value = types.is_string(kind) or types.is_large_string(kind) or types.is_primitive(kind)
    return bool(is_value or (types.is_list(kind) and types.is_struct(kind.value_type)))


def _damaged(row: int) -> FileProblem:
    text = "The Parquet file is damaged or incomplete. Write it again and upload the new file."
    return FileProblem("dataset:broken_file", text, line=row)


def _most_values(metadata: pq.FileMetaData) -> int:
    """The largest number of values in a column. Raises FileProblem if the metadata is damaged.

    Where it contradicts itself, pyarrow ends the process instead of raising, so a process of its own reads it. Raises
    RunError if that process ended for another reason, which says nothing about the file.
    """
    ours, theirs = _fork.Pipe(duplex=False)
    process = _fork.Process(target=_send_most_values, args=(metadata, theirs), daemon=True)
    process.start()
    theirs.close()
    with ours:
        try:
            most: int | None = ours.recv()
        except EOFError:
            most = None
        process.join()
    if most is None and process.exitcode in ENDED_BY_PYARROW:
        raise _damaged(0)
    if most is None:
        raise RunError("platform:reader_lost", "A process that reads the file has ended.", temporary=True)
    return most


def _send_most_values(metadata: pq.FileMetaData, connection: Connection) -> None:
    connection.send(max(_counts(metadata)))


def _counts(metadata: pq.FileMetaData) -> Iterator[int]:
    """The number of rows and of each column's values that the file claims. Lists have more values than rows."""
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    yield max(metadata.num_rows, sum(group.num_rows for group in groups))
    for column in range(metadata.num_columns):
        yield sum(group.column(column).num_values for group in groups)


def _unpacked_bytes(values: pa.Array) -> int:
    """Size with every value written out, although a dictionary stores it only once."""
    kind = values.type
    if types.is_struct(kind):
        return sum(map(_unpacked_bytes, values.flatten()))
    if types.is_list(kind) or types.is_large_list(kind):
        return _unpacked_bytes(values.flatten()) + 4 * len(values)
    if not types.is_dictionary(kind) or not _has_length(kind.value_type):
        return int(values.nbytes)
    lengths = pc.binary_length(values.dictionary).take(values.indices)
    return int(pc.sum(lengths).as_py() or 0) + 4 * len(values)


def _has_length(kind: pa.DataType) -> bool:
    texts = (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
    return any(is_text(kind) for is_text in texts)
