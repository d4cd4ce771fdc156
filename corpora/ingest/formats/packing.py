"""Unpacks compressed files within limits, since a small file may unpack to any size.

The kind of packing is told by the file's first bytes. Nothing is believed of what an archive says of its own sizes:
the bytes that come out are counted.
"""

import bz2
import gzip
import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from errno import EINVAL
from pathlib import Path
from typing import NamedTuple, NoReturn, Protocol

# The standard library has it from Python 3.14 on, as compression.zstd.
from backports import zstd

from corpora.ingest.contracts import IngestSpec
from corpora.ingest.limits import no_room, too_large
from corpora.ingest.problems import FileProblem, joined

CHUNK_BYTES = 1 << 18
MAGIC_BYTES = 16
HEAD_BYTES = 1 << 10

WINDOW_LOG = 27
"""A zstd file may ask for so much memory, 128 MiB; the command line tool reads no more either."""

DIRECTORY_BYTES = 1 << 20
"""Largest list of files of a zip archive, about 15,000 of them."""

READABLE_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
ENCRYPTED = 0x1
_BESIDE = re.compile(r"(^|/)(__MACOSX/.*|\.DS_Store|\._[^/]*)$")
_CONTENT_TYPES = b"[Content_Types].xml"
_OFFICE = re.compile(r"\[Content_Types\]\.xml|(xl|word|ppt)/.*")
WORKBOOK = "This is an Excel workbook or another Office document. Save the sheet as “CSV UTF-8” and upload that file."

_DAMAGED = (
    EOFError, ValueError, LookupError, NotImplementedError, RuntimeError, OverflowError, struct.error,
    zlib.error, lzma.LZMAError, zstd.ZstdError, zipfile.BadZipFile,
)  # fmt: skip
"""What the libraries raise for damaged input, beside OSErrors of their own."""


class Packed(Protocol):
    """Unpacks as it is read."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most `size`."""


class Packing(NamedTuple):
    """A way to pack one file: its name for people, its first bytes, and how it is opened."""

    name: str
    magic: re.Pattern[bytes]
    open: Callable[[Path, ExitStack], Packed]


def packing_of(path: Path) -> Packing | None:
    """How the file is packed, or None if it is not."""
    with path.open("rb") as file:
        head = file.read(MAGIC_BYTES)
    return next((packing for packing in PACKINGS if packing.magic.match(head)), None)


def unpack_head(packing: Packing, path: Path, destination: Path, *, limit: int) -> bool:
    """Write at most the first `limit` unpacked bytes and return whether that is all. Raises FileProblem if damaged."""
    with _reading(packing, path) as packed, destination.open("wb") as target:
        left = limit
        while left and (chunk := _read(packing, packed, min(left, CHUNK_BYTES))):
            target.write(chunk)
            left -= len(chunk)
        return not _read(packing, packed, 1)


def unpack(packing: Packing, path: Path, destination: Path, spec: IngestSpec, *, tick: Callable[[], None]) -> None:
    """Unpack `path`. Raises FileProblem if it is damaged, is not one file, or is larger than `spec` allows.

    `tick` is called regularly, so that a long extraction can be stopped.
    """
    with _reading(packing, path) as packed, destination.open("wb") as target:
        bound = Bound(spec)
        while chunk := _read(packing, packed, CHUNK_BYTES):
            bound.take(len(chunk))
            target.write(chunk)
            tick()


class Bound:
    """Counts the bytes of a temporary file, which may be as large as the unpacked file and the customer's storage."""

    def __init__(self, spec: IngestSpec) -> None:
        self._limit = spec.max_unpacked_bytes
        self._room = self._limit if spec.room_bytes is None else spec.room_bytes
        self._written = 0

    def take(self, size: int) -> None:
        """Count bytes before they are written. Raises FileProblem if they are too many."""
        self._written += size
        if self._written > min(self._limit, self._room):
            raise no_room(self._room) if self._room < self._limit else too_large(self._limit)


@contextmanager
def _reading(packing: Packing, path: Path) -> Iterator[Packed]:
    with ExitStack() as stack:
        with _refused_if_damaged(packing):
            packed = packing.open(path, stack)
        yield packed


def _read(packing: Packing, packed: Packed, size: int) -> bytes:
    with _refused_if_damaged(packing):
        return packed.read(size)


@contextmanager
def _refused_if_damaged(packing: Packing) -> Iterator[None]:
    text = f"The {packing.name} file is damaged or incomplete. Compress it again, or upload the uncompressed file."
    problem = FileProblem("dataset:broken_archive", text)
    try:
        yield
    except _DAMAGED:
        raise problem from None
    except OSError as error:
        # The system's own have a number; EINVAL is a place outside of the file.
        if error.errno not in (None, EINVAL):
            raise
        raise problem from None


def _open_gzip(path: Path, stack: ExitStack) -> Packed:
    return stack.enter_context(gzip.open(path))


def _open_bzip2(path: Path, stack: ExitStack) -> Packed:
    return stack.enter_context(bz2.open(path))


def _open_zstd(path: Path, stack: ExitStack) -> Packed:
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: WINDOW_LOG}
    return stack.enter_context(zstd.ZstdFile(path, options=options))


def _open_zip(path: Path, stack: ExitStack) -> Packed:
    """The one file of an archive. Raises FileProblem if there is not exactly one."""
    file = stack.enter_context(_Bounded(path))
    if _CONTENT_TYPES in file.read(HEAD_BYTES):
        # Also where it is damaged.
        _refuse(WORKBOOK)
    archive = stack.enter_context(zipfile.ZipFile(file))
    entries = archive.infolist()
    if any(_OFFICE.fullmatch(entry.filename) for entry in entries):
        _refuse(WORKBOOK)
    files = [entry for entry in entries if not entry.is_dir() and not _BESIDE.search(entry.filename)]
    if not files:
        _refuse("The zip archive contains no file. Compress the file with your rows, or upload it as it is.")
    if len(files) > 1:
        names = joined(entry.filename for entry in files)
        _refuse(
            f"The zip archive contains {len(files)} files: {names}. Upload each of them on its own, for example as"
            " versions of one dataset."
        )
    if files[0].flag_bits & ENCRYPTED:
        _refuse("The zip archive is protected by a password. Extract it and upload the file inside.")
    if files[0].compress_type not in READABLE_METHODS:
        _refuse(
            "The zip archive is compressed with a method that we do not read. Compress it with the usual method"
            " (Deflate), or upload the file inside."
        )
    return stack.enter_context(archive.open(files[0]))


def _refuse(text: str) -> NoReturn:
    raise FileProblem("dataset:not_a_dataset", text)


class _Bounded(io.FileIO):
    """An archive whose list of files is not read at once if it is too long for that."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "rb")

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to `size` bytes, or to the end. Raises BadZipFile for more than DIRECTORY_BYTES."""
        if size is None or size < 0:
            size = DIRECTORY_BYTES
        if size > DIRECTORY_BYTES:
            raise zipfile.BadZipFile("too many files")
        return super().read(size) or b""


PACKINGS = (
    Packing("gzip", re.compile(rb"\x1f\x8b"), _open_gzip),
    # A file may begin with a frame that is to be skipped, as those of parallel compressors do.
    Packing("zstd", re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), _open_zstd),
    Packing("bzip2", re.compile(rb"BZh[1-9](\x31\x41\x59\x26\x53\x59|\x17\x72\x45\x38\x50\x90)"), _open_bzip2),
    Packing("zip", re.compile(rb"PK(\x03\x04|\x05\x06)"), _open_zip),
)
