"""Detects how text is encoded, and writes it anew as UTF-8.

In this order: byte order mark, zero bytes on one side, strict UTF-8, Windows-1252. A file is first read as UTF-8; only
if that fails is it scanned as a whole (see `is_windows_1252`), so proper files cost nothing.
"""

import codecs
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from corpora.ingest.contracts import Converted, IngestSpec
from corpora.ingest.formats.packing import Bound
from corpora.ingest.problems import FileProblem

HEAD_BYTES = 1 << 16
CHUNK_BYTES = 1 << 18
EXAMPLES = 3
AROUND = 60
"""Characters of an example on both sides of the first that was changed."""

UTF32 = "The file is UTF-32 text. Save it again as UTF-8 (in Excel: “CSV UTF-8”)."
_UTF32_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF16_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_LONGEST = 4
_UNDEFINED = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


class Codec(NamedTuple):
    """An encoding other than UTF-8: its name as an option, Python's, and the length of the byte order mark."""

    name: str
    codec: str
    mark: int = 0


WINDOWS_1252 = Codec("windows-1252", "cp1252")
TITLES = {"utf-16": "UTF-16", "windows-1252": "Windows-1252"}


def utf16_codec(head: bytes, *, chosen: bool) -> Codec | None:
    """How a file is to be read that begins like UTF-16, or that is UTF-16 as somebody said. Raises FileProblem."""
    if head.startswith(_UTF32_MARKS):
        raise FileProblem("dataset:encoding", UTF32)
    for mark, codec in _UTF16_MARKS.items():
        if head.startswith(mark):
            return Codec("utf-16", codec, len(mark))
    zeros = [head[side::2].count(0) / max(1, len(head[side::2])) for side in (0, 1)]
    # Mostly ASCII characters, each with a zero byte on the same side.
    if chosen or (max(zeros) > 0.8 and min(zeros) < 0.2):
        return Codec("utf-16", "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le")
    return None


def is_windows_1252(path: Path, *, tick: Callable[[], None]) -> bool:
    """Whether text that is not UTF-8 is Windows-1252: no character is written as UTF-8, and each byte is defined."""
    found = False
    with path.open("rb") as file:
        before = b""
        while chunk := file.read(CHUNK_BYTES):
            tick()
            if chunk.isascii():
                before = b""
                continue
            found = True
            if _UNDEFINED.search(chunk) or _SEQUENCE.search(before + chunk):
                return False
            before = (before + chunk)[1 - _LONGEST :]
    return found


def convert(
    source: Path, target: Path, codec: Codec, spec: IngestSpec, *, is_whole: bool, tick: Callable[[], None]
) -> tuple[Converted, ...]:
    """Write text as UTF-8 and return the first examples of what changed. Lines stay as they are.

    Text that is not whole may end within a character.

    Raises FileProblem if a character is not valid, or if the file becomes larger than `spec` allows.
    """
    decoder = codecs.getincrementaldecoder(codec.codec)()
    bound, lines, examples = Bound(spec), 0, list[Converted]()
    with source.open("rb") as file, target.open("wb") as written:
        file.seek(codec.mark)
        while True:
            chunk = file.read(CHUNK_BYTES)
            try:
                text = decoder.decode(chunk, final=is_whole and not chunk)
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode(codec.codec, "ignore")
                raise _invalid(codec, lines + before.count("\n") + 1) from None
            if codec is WINDOWS_1252 and len(examples) < EXAMPLES and not chunk.isascii():
                examples += _examples(text, lines, EXAMPLES - len(examples))
            lines += text.count("\n")
            encoded = text.encode()
            bound.take(len(encoded))
            written.write(encoded)
            tick()
            if not chunk:
                return tuple(examples)


def _invalid(codec: Codec, line: int) -> FileProblem:
    name = TITLES[codec.name]
    text = f"This line is not {name} text. Choose another encoding, or save the file as UTF-8 (in Excel: “CSV UTF-8”)."
    return FileProblem("dataset:encoding", text, line=line)


def _examples(text: str, before: int, most: int) -> list[Converted]:
    """The first lines of `text` with other characters than ASCII, behind so many lines."""
    found: list[Converted] = []
    for number, line in enumerate(text.split("\n"), before + 1):
        if line.isascii():
            continue
        place = next(at for at, character in enumerate(line) if not character.isascii())
        shown = line[max(0, place - AROUND) : place + AROUND].replace("\0", "�").strip()
        found.append(Converted(line=number, text=shown))
        if len(found) == most:
            break
    return found
