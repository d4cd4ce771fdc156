"""Charges as CSV or Parquet, a few thousand at a time."""

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import islice
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpora.versions.exports import safe_cell
from metering.focus.charges import plain
from metering.focus.columns import COLUMNS, Type
from metering.focus.unknown import COLUMNS as UNKNOWN_COLUMNS
from metering.focus.unknown import Unknown

ROWS = 5000
"""At a time."""
NAMES = tuple(column.name for column in COLUMNS)
FREE_TEXT = frozenset({"AllocatedResourceName", "ResourceName", "SubAccountName", "x_OrganisationName"})
"""What people called things: a spreadsheet might read it as a formula."""
PRECISION, SCALE = 38, 18
"""Digits of a decimal in Parquet, and those of them after the point."""
TYPES = {Type.DECIMAL: pa.decimal128(PRECISION, SCALE), Type.TIME: pa.timestamp("ms", tz="UTC")}
SCHEMA = pa.schema([
    pa.field(column.name, TYPES.get(column.type, pa.string()), nullable=column.nullable) for column in COLUMNS
])  # fmt: skip

Rows = Iterable[dict[str, Any]]


def write_csv(rows: Rows, file: IO[bytes]) -> int:
    """Nulls are empty cells. Returns how many rows there were."""
    count = 0
    for piece, size in _csv(NAMES, (_cells(row) for row in rows)):
        file.write(piece)
        count += size
    return count


def write_unknown(found: Iterable[Unknown], file: IO[bytes]) -> int:
    """What has no price, as CSV. Returns how many rows there were."""
    rows = ({name: safe_cell(text) for name, text in one.row().items()} for one in found)
    count = 0
    for piece, size in _csv(UNKNOWN_COLUMNS, rows):
        file.write(piece)
        count += size
    return count


def write_parquet(rows: Rows, file: IO[bytes]) -> int:
    """Costs and quantities are decimals with 18 places. Returns how many rows there were."""
    count = 0
    with pq.ParquetWriter(file, SCHEMA) as writer:
        for batch in _batches(rows):
            writer.write_table(pa.Table.from_pylist(batch, schema=SCHEMA))
            count += len(batch)
    return count


def _batches(rows: Rows) -> Iterator[list[dict[str, Any]]]:
    left = iter(rows)
    while batch := list(islice(left, ROWS)):
        yield batch


def _csv(names: Iterable[str], rows: Rows) -> Iterator[tuple[bytes, int]]:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(names), lineterminator="\n")
    writer.writeheader()
    count = 0
    for row in rows:
        writer.writerow(row)
        count += 1
        if count == ROWS:
            yield text.getvalue().encode(), count
            text.seek(0)
            text.truncate()
            count = 0
    yield text.getvalue().encode(), count


def _cells(row: dict[str, Any]) -> dict[str, str]:
    return {name: _cell(name, value) for name, value in row.items()}


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return safe_cell(value) if name in FREE_TEXT else str(value)
