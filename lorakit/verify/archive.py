"""The layout of an evidence pack: a ZIP file of stored parts in order of name, the same bytes whenever it is written.

`manifest.json` names the SHA-256 of every part, `manifest.sig` is the site's signature of the manifest. Large parts are
JSON Lines, compressed by gzip on their own, so that the archive needs no compression that could differ.
"""

import gzip
import hashlib
import json
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
FORMAT = "adapter-portal evidence pack"
FORMAT_VERSION = 1

EPOCH = (1980, 1, 1, 0, 0, 0)
CHUNK_BYTES = 1 << 20
MAX_DOCUMENT_BYTES = 64 << 20
MAX_LINE_BYTES = 16 << 20
LEVEL = 6


def canonical(value: Any) -> bytes:
    """JSON that is the same for the same value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode() + b"\n"


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """One canonical JSON object a line, compressed; holds one row at a time."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", LEVEL, raw, mtime=0) as file:
        for row in rows:
            file.write(canonical(row))


def read_lines(file: IO[bytes]) -> Iterator[dict[str, Any]]:
    """The rows of a part that `write_lines` wrote. Raises ValueError or OSError."""
    with gzip.GzipFile(fileobj=file, mode="rb") as lines:
        while line := lines.readline(MAX_LINE_BYTES):
            if not line.endswith(b"\n"):
                raise ValueError("a line is too long or cut off")
            yield json.loads(line)


def sha256_of(file: IO[bytes]) -> str:
    """Of all that is left to read."""
    found = hashlib.sha256()
    while chunk := file.read(CHUNK_BYTES):
        found.update(chunk)
    return found.hexdigest()


def write_archive(target: IO[bytes], parts: Mapping[str, Path]) -> None:
    """Write the files into a ZIP archive under their names."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(parts):
            info = zipfile.ZipInfo(name, EPOCH)
            info.create_system = 3
            info.external_attr = 0o644 << 16
            info.file_size = parts[name].stat().st_size
            with archive.open(info, "w") as part, parts[name].open("rb") as source:
                shutil.copyfileobj(source, part, CHUNK_BYTES)
