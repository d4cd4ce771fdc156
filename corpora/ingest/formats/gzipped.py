"""Unpacks a gzip file within limits, since a small file may unpack to any size."""

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path

from corpora.ingest.contracts import IngestSpec
from corpora.ingest.limits import no_room, too_large
from corpora.ingest.problems import FileProblem

MAGIC = b"\x1f\x8b"
CHUNK_BYTES = 1 << 18


def is_gzip(path: Path) -> bool:
    """Whether a file starts with the gzip signature."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def unpack_head(path: Path, destination: Path, *, limit: int) -> bool:
    """Write at most the first `limit` unpacked bytes and return whether that is all. Raises FileProblem if damaged."""
    try:
        with gzip.open(path) as packed, destination.open("wb") as target:
            target.write(packed.read(limit))
            return not packed.read(1)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise _broken() from None


def unpack(path: Path, destination: Path, spec: IngestSpec, *, tick: Callable[[], None]) -> int:
    """Unpack `path` and return the unpacked size. Raises FileProblem if it is damaged or larger than `spec` allows.

    `tick` is called regularly, so that a long extraction can be stopped.
    """
    limit = spec.max_unpacked_bytes
    room = limit if spec.room_bytes is None else spec.room_bytes
    written = 0
    try:
        with gzip.open(path) as packed, destination.open("wb") as target:
            while chunk := packed.read(CHUNK_BYTES):
                written += len(chunk)
                if written > min(limit, room):
                    raise no_room(room) if room < limit else too_large(limit)
                target.write(chunk)
                tick()
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise _broken() from None
    return written


def _broken() -> FileProblem:
    text = "The gzip file is damaged or incomplete. Compress it again, or upload the uncompressed file."
    return FileProblem("dataset:broken_archive", text)
