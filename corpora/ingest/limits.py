"""Limits of what a file may unpack to, since a small file may unpack to any size."""

from corpora.ingest.contracts import IngestSpec
from corpora.ingest.problems import FileProblem

TIMES = 1_000
"""Gzip packs no tighter than this, and a table of real rows far less."""

SMALL_BYTES = 256 << 20
"""Any file may become this large: reading it takes about a second."""

VALUES_PER_BYTE = 16
"""A million rows that count upwards and repeat an answer take a quarter of a byte each; these would take a 16th."""

FEW_VALUES = 100_000
"""Any file may have so many rows."""


def unpacked_limit(spec: IngestSpec) -> int:
    """Bytes that the values of a column-wise packed file may have."""
    return min(spec.max_unpacked_bytes, max(SMALL_BYTES, TIMES * spec.bytes))


def values_limit(spec: IngestSpec) -> int:
    """Values that a column of such a file may have."""
    return max(FEW_VALUES, VALUES_PER_BYTE * spec.bytes)


def too_large(limit: int) -> FileProblem:
    """The file has more bytes than `limit` once it is unpacked."""
    text = f"Uncompressed, the file is larger than {in_words(limit)}. Split it into several datasets."
    return FileProblem("dataset:too_large", text)


def too_many_values(rows: int, size: int) -> FileProblem:
    """A file of `size` bytes says that it has `rows` rows, or so many values in one of its lists."""
    text = f"A column has {rows:,} values in only {in_words(size)}, so nearly all of them are the same."
    return FileProblem("dataset:too_large", f"{text} Remove empty and repeated rows, then upload it again.")


def no_room(room: int) -> FileProblem:
    """The rows need more than the `room` bytes that the customer's storage has left."""
    text = f"Not enough storage for the rows of this file: {in_words(room)} are left."
    return FileProblem(
        "dataset:quota_exceeded", f"{text} Delete versions or uploads that you no longer need, then upload it again."
    )


def in_words(size: int) -> str:
    """Bytes for a person, for example "4.2 GB"; a GB is 2 to the 30th bytes."""
    for unit, name in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size} bytes"
