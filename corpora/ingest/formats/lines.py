"""Lines of a file, each limited in length."""

from collections.abc import Iterator
from typing import BinaryIO

from corpora.ingest.formats.blocks import UTF8_BOM

SKIP_BYTES = 1 << 16


def bounded_lines(
    file: BinaryIO, limit: int, *, offset: int = 0, before: int = 0
) -> Iterator[tuple[int, bytes | None]]:
    """(number, line with its line break) from an offset on, which has `before` lines before it.

    A byte order mark at the start is left out. None stands for a line longer than `limit` bytes; it has been skipped.
    """
    file.seek(offset)
    if offset == 0 and file.read(len(UTF8_BOM)) != UTF8_BOM:
        file.seek(0)
    number = before
    while line := file.readline(limit + 1):
        number += 1
        if len(line) > limit and not line.endswith(b"\n"):
            _skip_line(file)
            yield number, None
        else:
            yield number, line


def _skip_line(file: BinaryIO) -> None:
    while (part := file.readline(SKIP_BYTES)) and not part.endswith(b"\n"):
        pass
