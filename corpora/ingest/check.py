"""The check itself: two passes, the file's rows and then the rows that were kept."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from corpora.ingest.canonical import Canonical
from corpora.ingest.contracts import (
    MAX_PROBLEMS,
    MAX_SLICES,
    ROWS,
    TEST,
    TRAIN,
    IngestSpec,
    Notice,
    Problem,
    Report,
    Row,
)
from corpora.ingest.gzipped import is_gzip, unpack
from corpora.ingest.preview import Preview
from corpora.ingest.problems import FileProblem, RowProblem, joined
from corpora.ingest.profile import Profiler
from corpora.ingest.seen import SeenRows
from corpora.ingest.source import Source, open_source
from corpora.ingest.split import SplitPlan

MAX_LINES_NAMED = 10

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Row)

Progress = Callable[[float], None]
"""Called with the share done, after every row."""


class Check:
    """Checks one file: `folder` gets the rows, `scratch` what is needed meanwhile."""

    def __init__(self, spec: IngestSpec, *, folder: Path, scratch: Path) -> None:
        self.spec = spec
        self.folder = folder
        self.unpacked_path = scratch / "unpacked"
        self.kept_path = scratch / "kept.jsonl"
        self.seen_path = scratch / "seen.sqlite3"
        self.canonical = Canonical(max_row_bytes=spec.max_row_bytes)
        self.plan = SplitPlan(spec.test_share)
        self.slices: set[str] = set()
        self.problems: list[Problem] = []
        self.codes: Counter[str] = Counter()
        self.duplicates: list[int] = []
        self.duplicate_count = 0
        self.kept = 0

    def run(self, path: Path, progress: Progress) -> Report:
        """Report on the file at `path`; the rows are written if every one of them can be used."""
        source: Source | None = None
        try:
            try:
                if is_gzip(path):
                    limit = self.spec.max_unpacked_bytes
                    unpack(path, self.unpacked_path, limit=limit, tick=lambda: progress(0.0))
                    path = self.unpacked_path
                with path.open("rb") as file:
                    source = open_source(file, size=path.stat().st_size, max_row_bytes=self.spec.max_row_bytes)
                    self._read(source, progress)
                self._judge_whole()
            except FileProblem as problem:
                self._note(problem.at(problem.line))
            if source is None or self.problems:
                return self._rejection(source)
            return self._write(source, progress)
        finally:
            self.unpacked_path.unlink(missing_ok=True)
            self.kept_path.unlink(missing_ok=True)

    def _read(self, source: Source, progress: Progress) -> None:
        with SeenRows(self.seen_path) as seen, self.kept_path.open("wb") as kept:
            for record in source.records:
                progress(0.8 * source.fraction())
                if isinstance(record, Problem):
                    self._note(record)
                    continue
                line, raw = record
                try:
                    row = self.canonical.row(raw)
                    self._count_slice(row)
                except RowProblem as problem:
                    self._note(problem.at(line))
                    continue
                if seen.add(row.id):
                    self._keep(row, kept)
                else:
                    self._note_duplicate(line)

    def _keep(self, row: Row, kept: BinaryIO) -> None:
        self.kept += 1
        self.plan.see(row)
        if not self.problems:
            kept.write(_encoder.encode(row) + b"\n")

    def _count_slice(self, row: Row) -> None:
        self.slices.add(row.slice)
        if len(self.slices) > MAX_SLICES:
            self.slices.discard(row.slice)
            text = f"There are more than {MAX_SLICES} slices. A slice is a large group; use “label” for finer ones."
            raise RowProblem("dataset:too_many_slices", "slice", text)

    def _note(self, problem: Problem) -> None:
        self.codes[problem.code] += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)

    def _note_duplicate(self, line: int) -> None:
        self.duplicate_count += 1
        if len(self.duplicates) < MAX_LINES_NAMED:
            self.duplicates.append(line)

    def _judge_whole(self) -> None:
        """Whether the rows together make a dataset."""
        if self.problems:
            return
        if not self.kept:
            raise FileProblem("dataset:empty_file", "The file has no rows. Add a row for each example.")
        if self.kept < 2:
            text = "There is only one row. Add more, so that some can be held out to test what was learnt."
            raise FileProblem("dataset:too_few_rows", text)
        if self.plan.named_test == self.kept:
            text = "Every row is in the split “test”, so there is nothing to train on. Mark the others “train”."
            raise FileProblem("dataset:no_train_rows", text, field="split")

    def _rejection(self, source: Source | None) -> Report:
        return Report(
            accepted=False,
            file_format=source.file_format if source else "",
            layout=self.canonical.layout.name if self.canonical.layout else "",
            position=source.position if source else "line",
            rows=self.kept,
            problem_count=self.codes.total(),
            problems=tuple(self.problems),
            problems_by_code=dict(self.codes.most_common()),
            warnings=tuple(self._warnings(test=None)),
        )

    def _write(self, source: Source, progress: Progress) -> Report:
        profiler = Profiler(max_characters=self.spec.max_row_bytes)
        preview = Preview()
        counts = {"train": 0, "test": 0}
        digest = hashlib.sha256()
        with (
            self.kept_path.open("rb") as kept,
            (self.folder / ROWS).open("wb") as rows,
            (self.folder / TRAIN).open("wb") as train,
            (self.folder / TEST).open("wb") as test,
        ):
            for number, line in enumerate(kept, 1):
                progress(0.8 + 0.2 * number / self.kept)
                drawn = _decoder.decode(line)
                split = self.plan.place(drawn)
                row = msgspec.structs.replace(drawn, split=split)
                encoded = _encoder.encode(row) + b"\n"
                digest.update(encoded)
                rows.write(encoded)
                (train if split == "train" else test).write(encoded)
                counts[split] += 1
                profiler.add(row, split)
                preview.add(row)
        return Report(
            accepted=True,
            file_format=source.file_format,
            layout=self.canonical.layout.name if self.canonical.layout else "",
            position=source.position,
            rows=self.kept,
            train=counts["train"],
            test=counts["test"],
            rows_sha256=digest.hexdigest(),
            warnings=tuple(self._warnings(test=counts["test"])),
            profile=profiler.summary(),
            preview=tuple(preview.rows),
        )

    def _warnings(self, *, test: int | None) -> Iterator[Notice]:
        if self.duplicate_count:
            text = "Rows that repeat an earlier one word for word were left out."
            yield Notice(
                code="dataset:duplicate_row", count=self.duplicate_count, text=text, lines=tuple(self.duplicates)
            )
        if self.canonical.unused:
            text = f"Not used in training: {joined(sorted(self.canonical.unused))}."
            yield Notice(code="dataset:unused_field", count=len(self.canonical.unused), text=text)
        if test == 0:
            text = "No row is in the split “test”, so what is trained on this cannot be evaluated."
            yield Notice(code="dataset:no_test_rows", count=1, text=text)
