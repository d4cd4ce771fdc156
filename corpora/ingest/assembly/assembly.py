"""Assembles batches into a version: drops duplicates, draws the split, writes and indexes the rows."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from corpora.ingest.assembly.findings import Findings
from corpora.ingest.assembly.index import RECORD
from corpora.ingest.assembly.leaks import LeakedTests
from corpora.ingest.assembly.profile import Profiler
from corpora.ingest.assembly.sample import Sample
from corpora.ingest.assembly.split import SplitPlan
from corpora.ingest.background import Background
from corpora.ingest.batch import TEST_ROW, Batch, Marked, stretches
from corpora.ingest.contracts import INDEX, MAX_SLICES, TEST, TRAIN, Finding, Options
from corpora.ingest.limits import no_room
from corpora.ingest.seen import UNSEEN, SeenHashes

CONFLICT = "An earlier row has the same prompt and another answer. Keep the right one, or make the prompts differ."
LEAK = "The prompt of this row is also in the other split, so results would look better than they are."
NEAR_LEAK = "The prompt of this test row is almost the same as a training row’s. The row was left out."
LEAK_LEFT_OUT = "The prompt of this row is also in the other split. The row was left out."
DUPLICATE = "The row repeats an earlier row word for word. It was left out."

Lines = npt.NDArray[np.int64]
NONE: Lines = np.zeros(0, dtype=np.int64)


@dataclass
class SplitFile:
    """The file of one split's rows and its index. `sha256` covers all rows after `finish`."""

    rows: Path
    index: Path

    def __post_init__(self) -> None:
        self.count = 0
        self.size = 0
        self.sha256 = hashlib.sha256()
        self._rows = self.rows.open("wb")
        self._index = self.index.open("wb")
        self._writing = Background()

    def write(self, parts: list[memoryview], records: npt.NDArray[np.void]) -> None:
        """Append rows. The records' offsets are relative to the first of them."""
        text = b"".join(parts)
        self._writing.do(self._put, text)
        records["offset"] += self.size
        self._index.write(records.tobytes())
        self.size += len(text)
        self.count += len(records)

    def finish(self) -> None:
        """Wait until all is written; raises OSError."""
        self._writing.wait()
        self.close()

    def close(self) -> None:
        """Close the files, complete or not."""
        self._writing.close()
        self._rows.close()
        self._index.close()

    def _put(self, text: bytes) -> None:
        self._rows.write(text)
        self.sha256.update(text)


class Assembly:
    """Takes a file's batches in order. Rows go to `folder`, temporary files to `scratch`.

    Rows and index together are limited to `room_bytes`. Test rows at the lines `near_leaks` are left out.

    After the first problem nothing more is written, unless bad rows are to be left out: there will be no version.
    """

    def __init__(
        self, options: Options, plan: SplitPlan, findings: Findings, *, folder: Path, scratch: Path, sampled: int,
        max_row_bytes: int, room_bytes: int | None = None, near_leaks: Lines = NONE,
    ) -> None:  # fmt: skip
        self._options = options
        self.plan = plan
        self._findings = findings
        self._folder = folder
        self.train = SplitFile(folder / TRAIN, scratch / "train.idx")
        self.test = SplitFile(folder / TEST, scratch / "test.idx")
        self._rows = SeenHashes(scratch / "seen-rows")
        self._prompts = SeenHashes(scratch / "seen-prompts")
        self.leaked_tests = LeakedTests(scratch)
        self.profiler = Profiler(max_characters=max_row_bytes)
        self.sample = Sample(sampled)
        self._room_bytes = room_bytes
        self._near_leaks = near_leaks
        self._prompts_left_out = np.zeros(0, dtype=np.uint64)
        self.kept = 0
        self.unused: set[str] = set()
        self._marked = False
        self._slices: set[str] = set()
        self.lines = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for split in (self.train, self.test):
            split.close()
            split.index.unlink(missing_ok=True)
        self._rows.__exit__(kind, error, traceback)
        self._prompts.__exit__(kind, error, traceback)
        self.leaked_tests.__exit__(kind, error, traceback)

    @property
    def refused(self) -> bool:
        """Whether the file is rejected because of a bad row."""
        return bool(self._findings.problem_codes) and self._options.bad_rows == "refuse"

    def skip(self, lines: int) -> None:
        """Count lines without rows, such as a header."""
        self.lines += lines

    def take(self, batch: Batch) -> None:
        """Take the next part of the file. Raises NamesFound (see split), or FileProblem if the storage is full."""
        found = list(batch.findings)
        kept = np.ones(len(batch), dtype=np.bool_)
        if batch.marks is not None:
            found += self._check_slices(batch, batch.marks, kept)
        if len(batch):
            tests = self._place(batch, kept, found)
            self.kept += int(kept.sum())
            if len(self.unused) < 20:
                self.unused |= batch.unused
        if found:
            found.sort(key=lambda finding: finding.line)
            self._findings.add(_moved(found, self.lines))
        if len(batch) and not self.refused:
            self._write(batch, kept, tests)
        self.lines += batch.line_count

    def _place(self, batch: Batch, kept: npt.NDArray[np.bool_], found: list[Finding]) -> npt.NDArray[np.bool_]:
        """Drop duplicates, and return which of the other rows are test rows."""
        hashes = batch.rows.view(np.uint64).reshape(-1, 2)[:, 0]
        repeated = np.zeros(len(batch), dtype=np.bool_)
        repeated[kept] = self._rows.add(hashes[kept], np.zeros(int(kept.sum()), dtype=np.int8)) != UNSEEN
        found += _findings_at(batch, repeated, "dataset:duplicate_row", DUPLICATE, kept=False)
        kept &= ~repeated
        earlier = np.full(len(batch), UNSEEN, dtype=np.int8)
        # Without marks the prompt decides the split, and with names the row does, so no look-up is needed.
        self._marked = self._marked or batch.marks is not None
        if self._marked and self.plan.follows:
            earlier = self._prompts.find(batch.prompts)
        codes = self.plan.place(batch, kept, earlier)
        earlier[kept] = self._prompts.add(batch.prompts[kept], codes[kept])
        tests: npt.NDArray[np.bool_] = codes == TEST_ROW
        conflicts = kept & (earlier != UNSEEN)
        leaks = conflicts & (earlier != codes)
        if len(self._near_leaks):
            near = self._leave_out_near(batch, kept & tests, found)
            kept &= ~near
            conflicts &= ~near & ~np.isin(batch.prompts, self._prompts_left_out)
            leaks &= conflicts
        if conflicts.any():
            leaves_out = self._options.leaks == "leave_out"
            text = LEAK_LEFT_OUT if leaves_out else LEAK
            found += _findings_at(batch, leaks, "dataset:leak", text, kept=not leaves_out)
            found += _findings_at(batch, conflicts & ~leaks, "dataset:conflicting_answer", CONFLICT, kept=True)
            if leaves_out:
                kept &= ~leaks
        self.leaked_tests.add(batch.prompts[kept], tests[kept], leaks[kept])
        return tests

    def _leave_out_near(
        self, batch: Batch, tests: npt.NDArray[np.bool_], found: list[Finding]
    ) -> npt.NDArray[np.bool_]:
        """Which test rows are left out because a training row is much like them."""
        near: npt.NDArray[np.bool_] = tests & np.isin(batch.lines + self.lines, self._near_leaks)
        found += _findings_at(batch, near, "dataset:near_leak", NEAR_LEAK, kept=False)
        # A later row with the prompt of one of them conflicts with nothing.
        self._prompts_left_out = np.union1d(self._prompts_left_out, batch.prompts[near])
        return near

    def _check_slices(self, batch: Batch, marked: Marked, kept: npt.NDArray[np.bool_]) -> Iterator[Finding]:
        for name in dict.fromkeys(marks.slice for marks, _ in marked.of()):
            if len(self._slices) < MAX_SLICES:
                self._slices.add(name)
        is_refused = np.array([marks.slice not in self._slices for marks in marked.kinds])
        refused = is_refused[marked.rows]
        kept &= ~refused
        text = (
            f"The file has more than {MAX_SLICES} slices. Use “slice” for large groups, and “label” for smaller ones."
        )
        for line in batch.lines[refused].tolist():
            yield Finding(line, "slice", "dataset:too_many_slices", text, kept=False)

    def _write(self, batch: Batch, kept: npt.NDArray[np.bool_], tests: npt.NDArray[np.bool_]) -> None:
        self.profiler.add(batch, kept, tests)
        starts = np.concatenate(([0], batch.ends[:-1]))
        text = memoryview(batch.text)
        for split, chosen in ((self.train, kept & ~tests), (self.test, kept & tests)):
            rows = np.flatnonzero(chosen)
            if not len(rows):
                continue
            records = np.empty(len(rows), dtype=RECORD)
            records["id"] = batch.rows[rows]
            records["bytes"] = sizes = batch.ends[rows] - starts[rows]
            records["offset"] = np.cumsum(sizes) - sizes
            records["line"] = batch.lines[rows] + self.lines
            self._check_room(int(sizes.sum()) + records.nbytes)
            self.sample.add(records, split is self.test, split.size)
            split.write([text[start:stop] for start, stop in stretches(rows, starts, batch.ends)], records)

    def _check_room(self, size: int) -> None:
        written = sum(split.size + split.count * RECORD.itemsize for split in (self.train, self.test))
        if self._room_bytes is not None and written + size > self._room_bytes:
            raise no_room(self._room_bytes)

    def finish(self) -> str:
        """Write the index. Returns a hash over the SHA-256 of the training rows and of the test rows."""
        for split in (self.train, self.test):
            split.finish()
        with (self._folder / INDEX).open("wb") as index:
            for split in (self.train, self.test):
                with split.index.open("rb") as part:
                    while data := part.read(1 << 20):
                        index.write(data)
        both = hashlib.sha256(self.train.sha256.digest() + self.test.sha256.digest())
        return both.hexdigest()


def _findings_at(batch: Batch, chosen: npt.NDArray[np.bool_], code: str, text: str, *, kept: bool) -> Iterator[Finding]:
    return (Finding(line, "", code, text, kept) for line in batch.lines[chosen].tolist())


def _moved(found: list[Finding], lines: int) -> Iterator[Finding]:
    """The findings with line numbers of the file. Findings about the whole file keep line 0."""
    for item in found:
        yield Finding(item.line + lines if item.line else 0, item.field, item.code, item.text, item.kept)
