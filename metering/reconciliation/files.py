"""Files of a bill, read a little at a time: CSV, also gzipped, and Parquet. Bills of gigabytes fit in little memory."""

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from metering.reconciliation.errors import WrongBill

LONGEST_LINE = 1 << 20
ROWS = 4096
GZIP, PARQUET, ZIP = b"\x1f\x8b", b"PAR1", b"PK\x03\x04"
SERVICE = "SageMaker"
"""What the value of a service's column has in it, whatever the layout."""

Row = dict[str, Any]
Choose = Callable[[Sequence[str]], "Chosen"]


class Chosen:
    """The columns that are wanted of a file, by their own names, and the one that names the service."""

    def __init__(self, columns: dict[str, str], service: str) -> None:
        self.columns = columns
        self.service = service


class Counted:
    """How many rows a file had, also those that were left out."""

    def __init__(self) -> None:
        self.rows = 0


def read_rows(file: IO[bytes], choose: Choose, counted: Counted) -> Iterator[tuple[int, Row]]:
    """Rows of SageMaker by their number, with the columns that `choose` names. Raises WrongBill."""
    start = file.read(4)
    file.seek(0)
    if start.startswith(ZIP):
        raise WrongBill("This is a ZIP file. Unpack it and import what is in it.")
    if not start:
        raise WrongBill("The file is empty.")
    try:
        if start == PARQUET:
            yield from _parquet(file, choose, counted)
        elif start.startswith(GZIP):
            with gzip.open(file) as unpacked:
                yield from _csv(unpacked, choose, counted)
        else:
            yield from _csv(file, choose, counted)
    except UnicodeDecodeError:
        raise WrongBill("The file is not text in UTF-8.") from None
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise WrongBill("The file is cut off or damaged. Download it again.") from None
    except csv.Error as error:
        raise WrongBill(f"Row {counted.rows + 1}: {error}.") from None
    except (pa.ArrowException, OSError):
        raise WrongBill("The Parquet file is cut off or damaged. Download it again.") from None


def _csv(file: Any, choose: Choose, counted: Counted) -> Iterator[tuple[int, Row]]:
    reader = csv.reader(_lines(io.TextIOWrapper(file, encoding="utf-8-sig", newline="")))
    names = next(reader, [])
    chosen = choose(names)
    places = {wanted: names.index(name) for wanted, name in chosen.columns.items()}
    service = names.index(chosen.service)
    for cells in reader:
        counted.rows += 1
        if len(cells) != len(names):
            text = f"Row {counted.rows}: {len(cells)} cells, where the header has {len(names)}."
            raise WrongBill(text)
        if SERVICE in cells[service]:
            yield counted.rows, {wanted: cells[place] for wanted, place in places.items()}


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise WrongBill("A line has more than a million characters. Is this a bill?")
        yield line


def _parquet(file: IO[bytes], choose: Choose, counted: Counted) -> Iterator[tuple[int, Row]]:
    with pq.ParquetFile(file) as bill:
        chosen = choose(bill.schema_arrow.names)
        wanted = sorted({*chosen.columns.values(), chosen.service})
        for batch in bill.iter_batches(batch_size=ROWS, columns=wanted):
            service = batch.column(chosen.service).cast(pa.string())
            of_service = pc.fill_null(pc.match_substring(service, SERVICE), False)
            places = pc.indices_nonzero(of_service)
            for place, row in zip(places.to_pylist(), batch.take(places).to_pylist(), strict=True):
                yield counted.rows + place + 1, {name: row[column] for name, column in chosen.columns.items()}
            counted.rows += batch.num_rows
