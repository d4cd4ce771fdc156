"""Makes a customer's file readable by the row: unpacked, in UTF-8, and each row of a JSON document on its own line."""

from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from corpora.ingest.contracts import Converted, IngestSpec, Notice
from corpora.ingest.formats import encodings
from corpora.ingest.formats.json_documents import kind_of, write_rows
from corpora.ingest.formats.packing import packing_of, unpack, unpack_head
from corpora.ingest.formats.source import fields_of
from corpora.ingest.layouts.known import detect_layout
from corpora.ingest.problems import FileProblem, joined

DOCUMENT_FORMATS = ("", "json")
PARQUET = b"PAR1"


class Readable:
    """The file at `path` as it can be read, after `prepare`. Temporary files go to `scratch` and end with the context.

    `head_bytes` and `head_rows` say that a preview needs no more than the beginning. `tick` is called regularly.
    """

    def __init__(
        self,
        path: Path,
        spec: IngestSpec,
        *,
        scratch: Path,
        tick: Callable[[], None] = lambda: None,
        head_bytes: int | None = None,
        head_rows: int | None = None,
    ) -> None:
        self.path = path
        self._spec = spec
        self.upload = path
        self._scratch = {name: scratch / name for name in ("unpacked", "head", "text", "rows")}
        self._tick = tick
        self._head_bytes = head_bytes
        self._head_rows = head_rows
        self._packing = packing_of(path)
        self._is_whole = True
        self._bytes = path
        """The file without its packing, before anything in it is converted."""
        self._codec: encodings.Codec | None = None
        self.encoding = ""
        self.is_document = False
        self.converted: tuple[Converted, ...] = ()
        self._beside: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for path in self._scratch.values():
            path.unlink(missing_ok=True)

    @property
    def packing(self) -> str:
        """The name of the packing, or an empty text."""
        return self._packing.name if self._packing else ""

    @property
    def is_whole(self) -> bool:
        """Whether all of the file can be read, and not only its beginning. See `head_rows` for JSON documents."""
        return self._is_whole

    @property
    def is_upload(self) -> bool:
        """Whether the uploaded file itself is read."""
        return self.path == self.upload

    def prepare(self) -> None:
        """Unpack and convert the file. Raises FileProblem."""
        self._unpack()
        with self._bytes.open("rb") as file:
            head = file.read(encodings.HEAD_BYTES)
        chosen = self._spec.options.encoding
        if head.startswith(PARQUET):
            return
        self.encoding = "utf-8"
        if chosen == "windows-1252":
            self._convert(encodings.WINDOWS_1252)
        elif codec := encodings.utf16_codec(head, chosen=chosen == "utf-16"):
            if chosen == "utf-8":
                text = "The file is UTF-16 text, not UTF-8. Choose the encoding UTF-16, or leave it to be detected."
                raise FileProblem("dataset:encoding", text)
            self._convert(codec)
        self._separate()

    def turn_to_windows_1252(self) -> bool:
        """Convert text that turned out not to be UTF-8. Returns whether it is Windows-1252; raises FileProblem."""
        if self._spec.options.encoding or self._codec or not self.encoding:
            return False
        if not encodings.is_windows_1252(self._cut(), tick=self._tick):
            return False
        self._convert(encodings.WINDOWS_1252)
        self._separate()
        return True

    def notices(self) -> Iterable[Notice]:
        """What was done to read the file."""
        if self._codec:
            name = encodings.TITLES[self._codec.name]
            text = f"Converted from {name}. Check the accented characters in the preview."
            yield Notice(code="dataset:converted", count=1, text=text)
        if self._beside:
            text = f"Beside the list of rows, not used: {joined(self._beside)}."
            yield Notice(code="dataset:beside_rows", count=len(self._beside), text=text)

    def _unpack(self) -> None:
        if not self._packing:
            return
        self.path = self._bytes = self._scratch["unpacked"]
        if self._head_bytes is not None:
            self._is_whole = unpack_head(self._packing, self.upload, self._bytes, limit=self._head_bytes)
            with self._bytes.open("rb") as file:
                is_parquet = file.read(len(PARQUET)) == PARQUET
            if self._is_whole or not is_parquet:
                self._end_with_a_line()
                return
            # What a Parquet file holds is said at its end.
            self._is_whole = True
        unpack(self._packing, self.upload, self._bytes, self._spec, tick=self._tick)

    def _end_with_a_line(self) -> None:
        """Drop the line in which a head ends, unless it is the only one."""
        if self._is_whole:
            return
        with self._bytes.open("r+b") as file:
            content = file.read()
            # Of UTF-16 nothing is dropped but half a character.
            end = len(content) & ~1 if b"\0" in content[:64] else content.rfind(b"\n") + 1
            if end:
                file.truncate(end)

    def _cut(self) -> Path:
        """The file to convert, or as much of it as a preview needs."""
        if self._head_bytes is None or not self._is_whole or self._bytes.stat().st_size <= self._head_bytes:
            return self._bytes
        with self._bytes.open("rb") as file:
            self._scratch["head"].write_bytes(file.read(self._head_bytes))
        self._bytes, self._is_whole = self._scratch["head"], False
        self._end_with_a_line()
        return self._bytes

    def _convert(self, codec: encodings.Codec) -> None:
        text = self._scratch["text"]
        source = self._cut()
        self.converted = encodings.convert(source, text, codec, self._spec, is_whole=self._is_whole, tick=self._tick)
        self.path, self.encoding, self._codec = text, codec.name, codec

    def _separate(self) -> None:
        """Write the rows of a JSON document as lines."""
        options = self._spec.options
        text = self._scratch["text"] if self._codec else self._bytes
        if options.file_format not in DOCUMENT_FORMATS:
            return
        with text.open("rb") as file:
            head = file.read(encodings.HEAD_BYTES)
            if not head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"[", b"{")):
                if options.file_format == "json" and head.strip():
                    wrong = "This is not JSON: it begins neither with “[” nor with “{”. Choose its real format."
                    raise FileProblem("dataset:not_a_dataset", wrong, line=1)
                return
            is_end = len(head) < encodings.HEAD_BYTES
            kind = kind_of(head, is_whole=is_end and self._is_whole, is_row=self._is_row)
            if not is_end and kind in (None, "wrapped") and head.lstrip().startswith(b"{"):
                # Where the first value ends decides, and a row may be this long.
                head += file.read(self._spec.max_row_bytes)
                is_end = not file.read(1)
                kind = kind_of(head, is_whole=is_end and self._is_whole, is_row=self._is_row)
            if kind is None and options.file_format == "json":
                kind = "objects" if head.lstrip().startswith(b"{") else "list"
            if kind is None:
                return
            file.seek(0)
            with self._scratch["rows"].open("wb") as rows:
                self._beside = write_rows(
                    file, kind, rows, is_whole=self._is_whole, most_rows=self._head_rows, tick=self._tick
                ).beside
        self.path, self.is_document = self._scratch["rows"], True

    def _is_row(self, keys: Iterable[Any]) -> bool:
        options, names = self._spec.options, set(keys)
        known = detect_layout(fields_of(names, options.columns)) is not None
        return known or bool(names & set(options.columns.values()))
