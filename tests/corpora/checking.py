"""Run a check on bytes, without a job or a database."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora.ingest.check import Check
from corpora.ingest.contracts import IngestSpec, Report


@dataclass(frozen=True)
class Outcome:
    """The report, and the rows of each file that was written."""

    report: Report
    rows: list[dict[str, Any]]
    train: list[dict[str, Any]]
    test: list[dict[str, Any]]

    @property
    def first(self) -> tuple[int, str, str]:
        """Line, field and code of the first problem."""
        problem = self.report.problems[0]
        return problem.line, problem.field, problem.code


def check(content: bytes, folder: Path, **spec: Any) -> Outcome:
    """Check a file of these bytes in an empty folder."""
    output = folder / "output"
    output.mkdir(parents=True)
    upload = folder / "upload"
    upload.write_bytes(content)
    chosen = IngestSpec(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content), **spec)
    report = Check(chosen, folder=output, scratch=folder).run(upload, lambda fraction: None)
    assert {path.name for path in folder.iterdir()} == {"output", "upload"}, "scratch files were left"
    names = ("rows", "train", "test")
    assert [(output / f"{name}.jsonl").exists() for name in names] == [report.accepted] * 3
    if not report.accepted:
        return Outcome(report, [], [], [])
    return Outcome(report, *(_read(output / f"{name}.jsonl") for name in names))


def _read(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]
