"""Run a check on bytes, without a job or a database."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from corpora.ingest.assembly.index import RECORD
from corpora.ingest.check import Check
from corpora.ingest.contracts import FINDINGS, INDEX, TEST, TRAIN, IngestSpec, Options, Report
from lorakit.digest import file_sha256


@dataclass(frozen=True)
class Outcome:
    """The report, the rows of each split, and everything that was found."""

    report: Report
    train: list[dict[str, Any]]
    test: list[dict[str, Any]]
    findings: list[dict[str, Any]]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """All of them: the training rows, then the test rows."""
        return self.train + self.test

    @property
    def first(self) -> tuple[int, str, str]:
        """Line, field and code of the first problem."""
        problem = self.report.problems[0]
        return problem.line, problem.field, problem.code


def check(content: bytes, folder: Path, *, options: dict[str, Any] | None = None, **spec: Any) -> Outcome:
    """Check a file of these bytes in an empty folder."""
    options = options or {}
    output = folder / "output"
    output.mkdir(parents=True)
    upload = folder / "upload"
    upload.write_bytes(content)
    chosen = IngestSpec(
        sha256=hashlib.sha256(content).hexdigest(), bytes=len(content), options=Options(**options), **spec
    )
    checked = Check(chosen, folder=output, scratch=folder).run(upload, lambda phase, fraction: None)
    assert {path.name for path in folder.iterdir()} == {"output", "upload"}, "scratch files were left"
    names = {TRAIN, TEST, INDEX, FINDINGS} if checked.report.accepted else {FINDINGS}
    assert {path.name for path in output.iterdir()} == names
    findings = _read(output / FINDINGS)
    if not checked.report.accepted:
        return Outcome(checked.report, [], [], findings)
    for name, sha256 in checked.hashes.items():
        assert file_sha256(output / name) == sha256
    _check_index(output, checked.report)
    return Outcome(checked.report, _read(output / TRAIN), _read(output / TEST), findings)


def _check_index(output: Path, report: Report) -> None:
    """Every record finds its own row."""
    records = np.fromfile(output / INDEX, dtype=RECORD)
    assert len(records) == report.rows == report.train + report.test
    for name, part in ((TRAIN, records[: report.train]), (TEST, records[report.train :])):
        data = (output / name).read_bytes()
        for record in part:
            line = data[record["offset"] : record["offset"] + record["bytes"]]
            assert line.endswith(b"\n")
            assert json.loads(line)["id"] == record["id"].tobytes().hex()


def _read(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]
