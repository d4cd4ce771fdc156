"""The check: one pass over the file, then statistics of a sample of the usable rows."""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora.ingest.assembly.assembly import NONE, Assembly, Lines
from corpora.ingest.assembly.findings import Findings
from corpora.ingest.assembly.split import Bounds, NamesFound, SplitPlan
from corpora.ingest.batch import Batch
from corpora.ingest.contracts import FINDINGS, INDEX, TEST, TRAIN, IngestSpec, Notice, Report
from corpora.ingest.formats.blocks import BLOCK_BYTES, Block, Blocks
from corpora.ingest.formats.readable import Readable
from corpora.ingest.formats.source import Source, open_source
from corpora.ingest.layouts.canonical import Canonical
from corpora.ingest.problems import FileProblem, joined, shown
from corpora.ingest.reading.pool import AHEAD, Pool
from corpora.ingest.reading.reader import Reader
from lorakit.digest import file_sha256
from lorakit.errors import RunError

ROOM = 4
"""Shared memory for a block's rows as canonical JSON, in blocks. Larger results are sent through a pipe."""

PARALLEL_FROM_BYTES = 16 * BLOCK_BYTES
"""For smaller files, a second process costs more time than it saves."""

Progress = Callable[[str, float], None]
"""Called often, with the phase and its completed share (0..1)."""


@dataclass(frozen=True)
class Checked:
    """The report, and the SHA-256 of output files by name."""

    report: Report
    hashes: dict[str, str]


class Check:
    """Checks one file. Rows and findings go to `folder`, temporary files to `scratch`."""

    def __init__(self, spec: IngestSpec, *, folder: Path, scratch: Path) -> None:
        self.spec = spec
        self.folder = folder
        self.scratch = scratch

    def run(self, path: Path, progress: Progress) -> Checked:
        """Check the file at `path`. Raises RunError if it is not the uploaded file."""
        if path.stat().st_size != self.spec.bytes:
            raise damaged()

        def tick() -> None:
            progress("checking", 0.0)

        with Readable(path, self.spec, scratch=self.scratch, tick=tick) as file:
            try:
                file.prepare()
                checked = self._run(file, progress)
                if "dataset:encoding" in checked.report.problems_by_code and file.turn_to_windows_1252():
                    checked = self._run(file, progress)
            except FileProblem as problem:
                return self._refuse_unread(problem, file, checked_sha256(path, self.spec))
        return checked

    def _run(self, file: Readable, progress: Progress) -> Checked:
        options = self.spec.options
        upload_sha256 = "" if file.is_upload else checked_sha256(file.upload, self.spec)
        plan = SplitPlan(options.test_share, options.seed)
        # A pass may show that the split must be drawn otherwise: rows name it, or one split stayed empty.
        for _ in range(3):
            try:
                with _Pass(self, file, plan, progress, upload_sha256) as reading:
                    checked = reading.run()
            except NamesFound:
                plan = SplitPlan(options.test_share, options.seed, named=True)
                continue
            bounds = reading.missing_split()
            if bounds is None:
                break
            # Rows of a single prompt or group stay together, in the training split.
            share = options.test_share if bounds.lowest < bounds.highest else 0.0
            plan = SplitPlan(share, options.seed, bounds=bounds)
        if checked.report.accepted and options.near_leaks == "leave_out":
            checked = self._without_near_leaks(checked, file, plan, progress, upload_sha256)
        if not checked.report.accepted:
            for name in (TRAIN, TEST, INDEX):
                (self.folder / name).unlink(missing_ok=True)
        return checked

    def _without_near_leaks(
        self, checked: Checked, file: Readable, plan: SplitPlan, progress: Progress, upload_sha256: str
    ) -> Checked:
        """The outcome without the test rows much like a training row: these are known once all rows are written."""
        from corpora.ingest.assembly.near_leaks import near_leaks

        def tick(share: float) -> None:
            progress("comparing", share)

        lines = near_leaks(self.folder, train_rows=checked.report.train, tick=tick)
        if not len(lines):
            return checked
        again = SplitPlan(plan.test_share, plan.seed, named=plan.named, bounds=plan.bounds)
        with _Pass(self, file, again, progress, upload_sha256, near_leaks=lines) as reading:
            return reading.run()

    def _refuse_unread(self, problem: FileProblem, file: Readable, sha256: str) -> Checked:
        for name in (TRAIN, TEST, INDEX):
            (self.folder / name).unlink(missing_ok=True)
        with Findings(self.folder / FINDINGS) as findings:
            findings.stop(problem)
        report = Report(
            accepted=False, upload_sha256=sha256, file_format="", packing=file.packing, **findings.summary()
        )
        return Checked(report, {})


class _Pass:
    """One pass over a readable file with one plan for the split."""

    def __init__(
        self, check: Check, file: Readable, plan: SplitPlan, progress: Progress, upload_sha256: str,
        near_leaks: Lines = NONE,
    ) -> None:  # fmt: skip
        self._spec = check.spec
        self._folder = check.folder
        self._file = file
        self._path = file.path
        self._progress = progress
        self._upload_sha256 = upload_sha256
        self._source: Source | None = None
        self._stack = ExitStack()
        self._findings = self._stack.enter_context(Findings(check.folder / FINDINGS))
        self._assembly = self._stack.enter_context(
            Assembly(
                check.spec.options,
                plan,
                self._findings,
                folder=check.folder,
                scratch=check.scratch,
                sampled=check.spec.sampled_rows,
                max_row_bytes=check.spec.max_row_bytes,
                room_bytes=check.spec.room_bytes,
                near_leaks=near_leaks,
            )
        )

    def __enter__(self) -> "_Pass":
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def run(self) -> Checked:
        """Read the whole file and report."""
        try:
            self._read()
            self._judge_whole()
        except FileProblem as problem:
            self._findings.stop(problem)
            return self._refusal()
        if self._assembly.refused:
            return self._refusal()
        return self._accept()

    def missing_split(self) -> Bounds | None:
        """The bounds for another draw if one split stayed empty, or None."""
        assembly, plan = self._assembly, self._assembly.plan
        if assembly.refused or plan.named or plan.bounds or plan.test_share <= 0 or assembly.kept < 2:
            return None
        empty = not assembly.train.count or not assembly.test.count
        return Bounds(plan.lowest, plan.highest) if empty else None

    def _read(self) -> None:
        with self._path.open("rb") as file:
            size = self._path.stat().st_size
            self._source = source = open_source(file, size=size, spec=self._spec, is_document=self._file.is_document)
            source.check_names()
            reader = Reader(self._spec, source)
            readers = min(os.cpu_count() or 1, source.most_readers) if size >= PARALLEL_FROM_BYTES else 0
            self._assembly.skip(source.header.lines)
            with closing(source.blocks(AHEAD * max(1, readers))) as blocks:
                start = self._read_blocks(reader, blocks, readers)
                if start is None and not self._upload_sha256:
                    self._upload_sha256 = blocks.sha256()
                    if self._spec.sha256 not in ("", self._upload_sha256):
                        raise damaged()
            if start is not None:
                lines = self._assembly.lines
                for batch in reader.records(source.records(start, lines), before=lines):
                    self._assembly.take(batch)
                    self._progress("checking", source.fraction())
        self._upload_sha256 = self._upload_sha256 or checked_sha256(self._path, self._spec)

    def _read_blocks(self, reader: Reader, blocks: Blocks, readers: int) -> int | None:
        """Where the file must be read row by row from, or None if all of it was read."""
        with closing(_batches(reader, blocks, readers)) as batches:
            for block, batch in batches:
                if batch is None:
                    return block.start
                self._assembly.take(batch)
                self._progress("checking", blocks.fraction())
        return None if blocks.is_done() else blocks.position

    def _judge_whole(self) -> None:
        """Whether the rows together make a dataset."""
        assembly = self._assembly
        if assembly.refused:
            return
        if not assembly.kept:
            if self._findings.problem_codes:
                raise FileProblem(
                    "dataset:no_usable_rows", "No row of the file can be used. Fix the rows and upload the file again."
                )
            raise FileProblem("dataset:empty_file", "The file has no rows. Add one row for each example.")
        if assembly.kept + self._findings.left_out["dataset:near_leak"] < 2:
            text = "The file has only one usable row. Add more rows, so that some can be held out for testing."
            raise FileProblem("dataset:too_few_rows", text)
        if not assembly.train.count and assembly.plan.named:
            text = "Every usable row is in the split “test”. Move some of them to the split “train”."
            raise FileProblem("dataset:no_train_rows", text, field="split")
        if not assembly.train.count and self.missing_split() is None:
            text = "Every usable row was held out for testing. Choose another share or seed."
            raise FileProblem("dataset:no_train_rows", text)

    def _accept(self) -> Checked:
        assembly = self._assembly
        rows_sha256 = assembly.finish()
        self._progress("profiling", 0.0)
        # Imported only after the readers ended, since its libraries take as much memory as one reader.
        from corpora.ingest.assembly.closer import CloserLook

        closer = CloserLook(self._spec.context)
        closer.take(assembly.sample.read(self._folder / TRAIN, self._folder / TEST))
        self._findings.add(closer.findings)
        self._findings.test_rows = {
            "dataset:leak": (assembly.leaked_tests.count(), assembly.test.count),
            "dataset:near_leak": (
                self._findings.notice_codes["dataset:near_leak"] - self._findings.left_out["dataset:near_leak"],
                closer.tests,
            ),
        }
        report = self._report(
            accepted=True,
            train=assembly.train.count,
            test=assembly.test.count,
            rows_sha256=rows_sha256,
            profile=closer.describe(assembly.profiler.summary()),
        )
        return Checked(report, {TRAIN: assembly.train.sha256.hexdigest(), TEST: assembly.test.sha256.hexdigest()})

    def _refusal(self) -> Checked:
        self._upload_sha256 = self._upload_sha256 or checked_sha256(self._path, self._spec)
        return Checked(self._report(accepted=False), {})

    def _report(self, *, accepted: bool, **results: Any) -> Report:
        source, layout = self._source, self._source.layout if self._source else None
        return Report(
            accepted=accepted,
            upload_sha256=self._upload_sha256,
            file_format=source.shown_format if source else "",
            packing=self._file.packing,
            encoding=self._file.encoding,
            delimiter=source.delimiter if source else "",
            layout=layout.name if layout else "",
            mapping=dict(source.columns) if source else {},
            guessed=source.guessed if source else (),
            metadata=source.kept if source else (),
            position=source.position if source else "line",
            rows=self._assembly.kept,
            warnings=tuple(self._warnings(accepted=accepted)),
            **self._findings.summary(),
            **results,
        )

    def _warnings(self, *, accepted: bool) -> Iterator[Notice]:
        yield from self._file.notices()
        yield from self._source.notices() if self._source else ()
        guessed = self._source.guessed if self._source else ()
        if self._source and guessed:
            read = ", ".join(f"“{shown(self._source.columns[field])}” as {field}" for field in guessed)
            text = f"Columns were recognised by their names: {read}. Map the columns yourself if this is wrong."
            yield Notice(code="dataset:guessed_columns", count=len(guessed), text=text)
        left_out = self._findings.problem_codes.total()
        if accepted and left_out:
            text = "Rows with problems were left out, as you chose."
            yield Notice(code="dataset:left_out", count=left_out, text=text)
        yield from self._findings.notices(self._spec.options)
        unused = self._assembly.unused | self._unread()
        if unused:
            text = f"Not used in training: {joined(sorted(unused))}."
            yield Notice(code="dataset:unused_field", count=len(unused), text=text)
        if accepted and not self._assembly.test.count:
            text = _no_test_rows(self._findings.left_out["dataset:near_leak"])
            yield Notice(code="dataset:no_test_rows", count=1, text=text)

    def _unread(self) -> set[str]:
        """Columns that the file names once for all rows and of which no value is read."""
        source = self._source
        if source is None or source.layout is None:
            return set()
        return Canonical(source.layout, source.columns, kept=source.kept).unused(source.names)


def _no_test_rows(near_leaks: int) -> str:
    if not near_leaks:
        return "No row is in the split “test”, so an adapter trained on this version cannot be evaluated."
    every = f"All {near_leaks:,} test rows were" if near_leaks > 1 else "The only test row was"
    return (
        f"{every} much like training rows and left out, so no test rows are left, and an adapter trained on this "
        "version cannot be evaluated. Upload the file with test rows that ask something else, or keep these."
    )


def _batches(reader: Reader, blocks: Blocks, readers: int) -> Generator[tuple[Block, Batch | None], None, None]:
    if not readers:
        for block in blocks:
            data = memoryview(blocks.buffers[block.place])[: block.size]
            yield block, reader.too_long() if block.is_too_long else reader.block(data)
        return
    with closing(Pool(reader, blocks, processes=readers, text_bytes=ROOM * BLOCK_BYTES)) as pool:
        yield from pool.batches()


def checked_sha256(path: Path, spec: IngestSpec) -> str:
    """SHA-256 of the uploaded file; raises RunError if it is another file."""
    sha256 = file_sha256(path)
    if spec.sha256 not in ("", sha256):
        raise damaged()
    return sha256


def damaged() -> RunError:
    """The stored file differs from the uploaded one."""
    text = "The stored file differs from the uploaded one."
    return RunError("platform:object_damaged", text, temporary=True)
