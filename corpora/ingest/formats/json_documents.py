"""JSON documents other than JSON Lines: a list of rows, an object around one, or objects one after the other.

A document may be one line of any length. It is read in one pass, in memory that does not depend on its size, and each
row is written as a line of its own, as it is but for line breaks between its tokens. Whether a row itself is right is
judged when the lines are read; here are judged brackets, texts that are not closed, and what is between the rows.
"""

import io
import json
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import BinaryIO, Literal, NamedTuple, NoReturn

from corpora.ingest.formats.blocks import UTF8_BOM
from corpora.ingest.formats.jsonl import parse_line
from corpora.ingest.problems import FileProblem, RowProblem, shown

Kind = Literal["list", "wrapped", "objects"]

CHUNK_BYTES = 1 << 18
MOST_NESTED = 500
NAME_BYTES = 200
MOST_NAMES = 20
USUAL_NAMES = ("data", "rows", "train", "examples", "instances")
"""Names that files give to their list of rows. It goes before other lists."""

_SPACE = re.compile(rb"[ \t\r\n]*+")
_LIST = re.compile(rb"\[[ \t\r\n]*+[{\]]")
_SCALAR = re.compile(rb"[^ \t\r\n,\[\]{}:\"]++")
_TEXT = re.compile(rb'[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+')
# Whole texts, and anything but brackets and line breaks.
_RUN = re.compile(rb'(?:[^"\[\]{}\r\n]++|"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+")*+')
_BREAK = re.compile(rb"\n[ \t\r\n]*+")


def _usual_row(levels: int) -> bytes:
    """A pattern for an object whose brackets match and are nested no deeper than this."""
    inner = rb'[^"\[\]{}]++|"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"'
    value = inner
    for _ in range(levels - 1):
        value = rb"%b|\{(?:%b)*+\}|\[(?:%b)*+\]" % (inner, value, value)
    return rb"\{(?:%b)*+\}" % value


_ROW = re.compile(_usual_row(4))
"""Almost every row at once, if all of it has been read."""

_QUOTE, _BACKSLASH, _COMMA, _COLON, _END = b'"\\,:'[0], b'"\\,:'[1], b'"\\,:'[2], b'"\\,:'[3], -1
_OPEN = {ord("["): ord("]"), ord("{"): ord("}")}
_BREAKS = b"\r\n"

Write = Callable[[bytes], object]


class Document(NamedTuple):
    """How many rows were written, and the names of what else the object around them holds."""

    rows: int
    beside: tuple[str, ...]


def kind_of(head: bytes, *, is_whole: bool, is_row: Callable[[Iterable[str]], bool]) -> Kind | None:
    """The kind of document that begins with `head`, or None for JSON Lines and all that is not JSON.

    `is_row` says whether an object with these keys is a row rather than something around a list of rows.
    """
    text = head.removeprefix(UTF8_BOM).lstrip()
    lines = [line for line in text.split(b"\n") if line.strip()]
    if _LIST.match(text):
        is_line = _parsed(lines[0]) is not None and any(_is_object(line) for line in lines[1:])
        return None if is_line else "list"
    if not text.startswith(b"{"):
        return None
    first = bytearray()
    scanner = _Scanner(_Bytes(text))
    try:
        scanner.value(first.extend)
        line = scanner.line
        following = scanner.space()
    except FileProblem:
        if any(_is_object(other) for other in lines[1:]):
            return None
        if is_whole:
            return "objects" if len(lines) > 1 else None
        # Longer than any row: either one that is too long, or something around a list of rows.
        name = _list_name(text)
        return "wrapped" if name is not None and not is_row([name]) else None
    is_last = following == _END and is_whole
    if is_last and _is_wrapped(_parsed(bytes(first)), is_row):
        return "wrapped"
    if line > 1:
        return "objects" if isinstance(_parsed(bytes(first)), dict) or not any(map(_is_object, lines[1:])) else None
    if following == _COMMA:
        return "objects"
    is_followed = following == ord("{") and scanner.line == 1
    return "objects" if is_followed and not any(map(_is_object, lines[1:])) else None


def _list_name(text: bytes) -> str | None:
    """The key of the first list of objects in an object that begins with `text`."""
    rows = _Rows(_Scanner(_Bytes(text)), io.BytesIO(), None)
    with suppress(FileProblem):
        rows.write("wrapped")
    return rows.list_name


def write_rows(
    file: BinaryIO,
    kind: Kind,
    target: BinaryIO,
    *,
    is_whole: bool = True,
    most_rows: int | None = None,
    tick: Callable[[], None] = lambda: None,
) -> Document:
    """Write each row of a document as a line of `target`.

    Raises FileProblem with the line and character where the document is broken. Of the head of a document, which is
    not whole or has more than `most_rows`, the rows are written that it holds.
    """
    writer = _Rows(_Scanner(file, tick), target, most_rows)
    try:
        writer.write(kind)
    except _Enough:
        pass
    except _Ended:
        if is_whole or not writer.rows:
            raise
        target.seek(writer.begun)
        target.truncate()
    return Document(writer.rows, tuple(writer.beside))


class _Enough(Exception):
    """As many rows as were wanted have been written."""


class _Ended(FileProblem):
    """The document ends too early."""


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int) -> bytes:
        data, self._data = self._data, b""
        return data


class _Rows:
    """Walks through a document and writes its rows."""

    def __init__(self, scanner: "_Scanner", target: BinaryIO, most_rows: int | None) -> None:
        self._scanner = scanner
        self._target = target
        self._most = most_rows
        self.list_name: str | None = None
        self.rows = 0
        self.begun = 0
        self.beside: dict[str, None] = {}

    def write(self, kind: Kind) -> None:
        scanner = self._scanner
        if kind == "objects":
            self._objects()
            return
        if kind == "list":
            scanner.take(ord("["))
            self._items(self._target.write)
        else:
            self._wrapped()
        if scanner.space() != _END:
            scanner.fail("The list of rows ends here, but more text follows. Put all rows into one list.")

    def _row(self, write: Write) -> None:
        if write != _nowhere:
            if self.rows == self._most:
                raise _Enough
            self.begun = self._target.tell() if self._most is not None else 0
        if not self._scanner.usual_row(write):
            self._scanner.value(write)
        write(b"\n")
        if write != _nowhere:
            self.rows += 1

    def _items(self, write: Write) -> None:
        """The rows of a list, behind its bracket."""
        scanner = self._scanner
        while (found := scanner.space()) != ord("]"):
            if found == _END:
                scanner.end()
            self._row(write)
            found = scanner.space()
            if found == _COMMA:
                scanner.skip()
            elif found == _END:
                scanner.end()
            elif found != ord("]"):
                scanner.fail("A comma is missing between two rows. Add it.")
        scanner.skip()

    def _objects(self) -> None:
        scanner = self._scanner
        while (found := scanner.space()) != _END:
            if found != ord("{"):
                scanner.fail("Between two rows is other text. Separate rows by commas or line breaks only.")
            self._row(self._target.write)
            if scanner.space() == _COMMA:
                scanner.skip()

    def _wrapped(self) -> None:
        scanner = self._scanner
        scanner.take(ord("{"))
        while (found := scanner.space()) != ord("}"):
            if found != _QUOTE:
                scanner.fail("Here should be the name of a key, in quotes.")
            name = self._name()
            scanner.space()
            scanner.take(_COLON)
            self._member(name)
            if scanner.space() == _COMMA:
                scanner.skip()
            elif scanner.space() != ord("}"):
                scanner.fail("A comma is missing between two keys. Add it.")
        scanner.skip()
        if self.list_name is None:
            text = "The file is a single JSON object without a list of rows. Write the rows as a list: [{…}, {…}]."
            raise FileProblem("dataset:not_a_dataset", text, line=1)

    def _member(self, name: str) -> None:
        """The value of a key: the list of rows, or something that is not used."""
        scanner = self._scanner
        if scanner.space() != ord("["):
            scanner.value(_nowhere)
            self._ignore(name)
            return
        scanner.skip()
        if scanner.space() != ord("{"):
            scanner.value(_nowhere, within=b"[")
            self._ignore(name)
        elif self._chooses(name):
            self.list_name = name
            self._items(self._target.write)
        else:
            self._items(_nowhere)
            self._ignore(name)

    def _chooses(self, name: str) -> bool:
        """Whether this is the list of rows. Raises FileProblem if it is one of several."""
        if self.list_name is None:
            return True
        is_usual, was_usual = name in USUAL_NAMES, self.list_name in USUAL_NAMES
        if is_usual == was_usual:
            text = f"The file has several lists of rows: “{shown(self.list_name)}” and “{shown(name)}”."
            text += " Save each list as a file of its own, or join them and name the “split” in each row."
            raise FileProblem("dataset:not_a_dataset", text, line=self._scanner.line)
        if is_usual:
            self._ignore(self.list_name)
            self._target.seek(0)
            self._target.truncate()
            self.rows = 0
        return is_usual

    def _ignore(self, name: str) -> None:
        if len(self.beside) < MOST_NAMES:
            self.beside[name] = None

    def _name(self) -> str:
        written = bytearray()

        def keep(part: bytes) -> None:
            written.extend(part[: NAME_BYTES - len(written)])

        self._scanner.value(keep)
        try:
            return str(json.loads(written))
        except ValueError:
            return written.decode("utf-8", "replace").strip('"')


class _Scanner:
    """Reads a document a chunk at a time. What follows is at `_at` of `_data`."""

    def __init__(self, file: BinaryIO | _Bytes, tick: Callable[[], None] = lambda: None) -> None:
        self._file = file
        self._tick = tick
        self._data = b""
        self._at = 0
        self._lines = 0
        self._characters = 0
        """Lines, and characters of the last of them, in front of `_data`."""
        self._fill()
        self._at = len(UTF8_BOM) if self._data.startswith(UTF8_BOM) else 0

    @property
    def line(self) -> int:
        """The line that the scanner has come to, from 1."""
        return self._lines + self._data.count(b"\n", 0, self._at) + 1

    def fail(self, text: str) -> NoReturn:
        """Raises FileProblem for what follows."""
        raise FileProblem("dataset:broken_file", f"{text} {self._place()}", line=self.line)

    def end(self) -> NoReturn:
        """Raises FileProblem for a document that ends too early."""
        text = "The JSON ends before its last bracket is closed. The file is incomplete: export it again."
        raise _Ended("dataset:broken_file", f"{text} {self._place()}", line=self.line)

    def skip(self) -> None:
        """Go behind the next character."""
        self._at += 1

    def take(self, expected: int) -> None:
        """Go behind a character that must be the next. Raises FileProblem."""
        if self.space() != expected:
            self.fail(f"Here should be “{chr(expected)}”.")
        self._at += 1

    def space(self) -> int:
        """Go behind white space and return what follows it, or `_END`."""
        while True:
            match = _SPACE.match(self._data, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._data):
                return self._data[self._at]
            if not self._fill():
                return _END

    def usual_row(self, write: Write) -> bool:
        """Write the row that follows if it is one of the usual kind. Returns whether it is."""
        match = _ROW.match(self._data, self._at)
        if not match:
            return False
        row = match[0]
        write(_BREAK.sub(b" ", row) if b"\n" in row else row)
        self._at = match.end()
        return True

    def value(self, write: Write, *, within: bytes = b"") -> None:
        """Write the value that follows; or the rest of one, in which the brackets `within` are open.

        Raises FileProblem if it does not end, or its brackets do not match.
        """
        open_brackets = bytearray(_OPEN[bracket] for bracket in within)
        if not open_brackets and self._scalar(write):
            return
        while True:
            match = _RUN.match(self._data, self._at)
            end = match.end() if match else self._at
            if end > self._at:
                write(self._data[self._at : end])
                self._at = end
            if end == len(self._data):
                if not self._fill():
                    self.end()
                continue
            found = self._data[end]
            if found == _QUOTE:
                self._text(write)
                continue
            if found in _BREAKS:
                self.space()
                write(b" ")
                continue
            self._at += 1
            write(self._data[end : end + 1])
            if found in _OPEN:
                open_brackets.append(_OPEN[found])
                if len(open_brackets) > MOST_NESTED:
                    self.fail("The JSON is nested too deeply. A row is a flat object, or a list of turns.")
                continue
            if open_brackets.pop() != found:
                self._at -= 1
                self.fail(f"“{chr(found)}” closes a bracket that is not open. Check the brackets of this row.")
            if not open_brackets:
                return

    def _scalar(self, write: Write) -> bool:
        """Write a value without brackets, if one follows."""
        found = self.space()
        if found in _OPEN:
            return False
        if found == _QUOTE:
            self._text(write)
            return True
        begun = False
        while match := _SCALAR.match(self._data, self._at):
            write(match[0])
            begun = True
            self._at = match.end()
            if self._at < len(self._data) or not self._fill():
                return True
        if not begun:
            self.fail("Here should be a value.")
        return True

    def _text(self, write: Write) -> None:
        """Write a text, which follows. Raises FileProblem if it is not closed on its line."""
        write(b'"')
        self._at += 1
        while True:
            match = _TEXT.match(self._data, self._at)
            end = match.end() if match else self._at
            write(self._data[self._at : end])
            self._at = end
            found = self._data[end] if end < len(self._data) else _END
            if found == _QUOTE:
                write(b'"')
                self._at += 1
                return
            if found != _END and not (found == _BACKSLASH and end + 1 == len(self._data)):
                self.fail("A text is not closed on its line. Add the quotation mark; write a line break as \\n.")
            if not self._fill():
                self.end()

    def _fill(self) -> bool:
        """Read more behind what is left. Returns whether there was more."""
        self._tick()
        chunk = self._file.read(CHUNK_BYTES)
        if not chunk:
            return False
        self._characters = self._character()
        self._lines += self._data.count(b"\n", 0, self._at)
        self._data = self._data[self._at :] + chunk
        self._at = 0
        return True

    def _character(self) -> int:
        """Characters in front of the place, on its line."""
        begun = self._data.rfind(b"\n", 0, self._at) + 1
        before = len(self._data[begun : self._at].decode("utf-8", "replace"))
        return before if begun else self._characters + before

    def _place(self) -> str:
        return f"(Line {self.line:,}, character {self._character() + 1:,}.)"


def _nowhere(_: bytes) -> None:
    """Drop what is not used."""


def _parsed(line: bytes) -> object:
    """The value of a line, or None if it is not JSON. How its text is encoded does not matter."""
    try:
        return parse_line(line)
    except RowProblem as problem:
        return _parsed(line.decode("latin-1").encode()) if problem.code == "dataset:encoding" else None


def _is_object(line: bytes) -> bool:
    """Whether a line is a row by itself: a whole object that is not indented."""
    return line.startswith(b"{") and isinstance(_parsed(line), dict)


def _is_wrapped(value: object, is_row: Callable[[Iterable[str]], bool]) -> bool:
    """Whether an object that is the whole file is something around a list of rows, rather than a row."""
    if not isinstance(value, dict) or is_row(value):
        return False
    lists = [items for items in value.values() if isinstance(items, list) and items and isinstance(items[0], dict)]
    return bool(lists) and not any(_is_turn(items[0]) for items in lists)


def _is_turn(item: dict[str, object]) -> bool:
    return {"role", "content"} <= item.keys() or {"from", "value"} <= item.keys()
