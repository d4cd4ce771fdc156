"""Reads the rows of a Parquet file's record batches by column."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import types

from corpora.ingest.columnar.columns import Column, Columns, Found
from corpora.ingest.contracts import Message
from corpora.ingest.layouts.canonical import Canonical
from corpora.ingest.layouts.known import MARKS
from corpora.ingest.layouts.layout import Layout
from corpora.ingest.layouts.turns import ROLES
from corpora.ingest.metadata import short_text


class ParquetRows:
    """Finds rows in blocks, each an Arrow stream of record batches."""

    def __init__(self, layout: Layout | None, canonical: Canonical) -> None:
        self._layout = layout
        fields = (*layout.fields, *MARKS) if layout and layout.by_column else ()
        self._table: pa.Table = pa.table({})
        self._kept = canonical.kept
        self._columns = {field: column for field in fields if (column := canonical.column_of(field)) is not None}

    def find(self, data: memoryview) -> Found | None:
        """The rows of a block, with their positions as items, or None if it must be read row by row."""
        with pa.ipc.open_stream(pa.py_buffer(data)) as stream:
            table = stream.read_all()
        try:
            table.validate(full=True)
            self._table = table = table.combine_chunks()
            fields = self._fields(table)
        except pa.ArrowException:
            return None
        if fields is None:
            return None
        places = range(len(table))
        if not places or any(values is None for values in fields.values()):
            return Found(len(places), None, [], list(enumerate(places, 1)))
        others = {name: [None] * len(places) for name in table.column_names}
        metadata = {
            short_text(column): list(map(short_text, table.column(column).to_pylist()))
            for column in self._kept
            if column in others
        }
        columns = Columns(fields, np.arange(1, len(places) + 1), others, metadata=metadata)  # type: ignore[arg-type]
        return Found(len(places), columns, places, [])

    def raw(self, place: int) -> Mapping[str, Any]:
        """The values of a row of the last block."""
        values: Mapping[str, Any] = self._table.slice(place, 1).to_pylist()[0]
        return values

    def _fields(self, table: pa.Table) -> dict[str, Column | None] | None:
        """The values of fields, None for a field with unusable values. None if a column has another type."""
        known = {column: field for field, column in self._columns.items()}
        fields: dict[str, Column | None] = {}
        for column in table.column_names:
            values = table.column(column)
            array = values.chunk(0) if values.num_chunks else pa.array([], type=values.type)
            field = known.get(column, "")
            is_required = self._layout is not None and field in self._layout.required
            if field == "messages":
                if self._layout is None or not _is_conversation(array.type, self._layout.turn_keys):
                    return None
                fields[field] = _conversations(array, self._layout.turn_keys)
            elif _is_text(array.type):
                fields[field] = None if is_required and array.null_count else _texts(array)
            elif not (types.is_integer(array.type) or types.is_boolean(array.type) or types.is_floating(array.type)):
                return None
            elif field in MARKS and (
                types.is_integer(array.type) or (types.is_boolean(array.type) and not is_required)
            ):
                fields[field] = None if is_required and array.null_count else array.to_pylist()
            elif field:
                return None
        fields.pop("", None)
        return fields if self._layout and fields.keys() >= set(self._layout.required) else None


def _is_text(kind: pa.DataType) -> bool:
    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_null(kind))


def _is_conversation(kind: pa.DataType, keys: tuple[str, str]) -> bool:
    if not (types.is_list(kind) or types.is_large_list(kind)) or not types.is_struct(kind.value_type):
        return False
    fields = {field.name: field.type for field in kind.value_type}
    return fields.keys() >= {*keys} and all(map(_is_text, fields.values()))


def _texts(values: pa.Array) -> list[Any]:
    if types.is_dictionary(values.type):
        values = values.dictionary_decode()
    texts: list[Any] = values.to_numpy(zero_copy_only=False).tolist()
    return texts


def _conversations(values: pa.Array, keys: tuple[str, str]) -> Column | None:
    """The messages of each row, or None if a row has fewer than two complete messages or other keys or roles."""
    ends = values.offsets.to_numpy()
    ends = (ends - ends[0]).tolist()
    turns = values.flatten()
    if values.null_count or turns.null_count or any(stop - start < 2 for start, stop in pairwise(ends)):
        return None
    for field in turns.type:
        if turns.field(field.name).null_count != (0 if field.name in keys else len(turns)):
            return None
    roles = turns.field(keys[0])
    if not types.is_dictionary(roles.type):
        roles = roles.dictionary_encode()
    known = [ROLES.get(name, "tool") for name in _texts(roles.dictionary)]
    if "tool" in known:
        return None
    names = np.array(known, dtype=object)
    messages = list(map(Message, names[roles.indices.to_numpy()].tolist(), _texts(turns.field(keys[1]))))
    return [messages[start:stop] for start, stop in pairwise(ends)]
