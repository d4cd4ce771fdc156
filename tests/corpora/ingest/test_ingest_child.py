"""`python -m corpora.ingest` as the site runs it: bounded in memory, stoppable, and told which file to expect."""

import hashlib
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpora.conftest import pairs

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
LIMIT = 2 * 2**30
MODULE = ("-m", "corpora.ingest")
# Not getrusage: its peak counts what the process was before it became this one.
MEASURED = """
import runpy, sys
try:
    runpy.run_module("corpora.ingest", run_name="__main__", alter_sys=True)
finally:
    status = open("/proc/self/status").read()
    open(sys.argv[2] + "/peak", "w").write(status.split("VmHWM:")[1].split()[0])
"""


def run_child(
    run: Path, content: bytes, *, command: tuple[str, ...] = MODULE, limit: int = LIMIT, **spec: Any
) -> dict[str, Any]:
    """The result document of a run on `content`, in `limit` bytes of address space."""
    (run / "inputs" / "upload").mkdir(parents=True)
    (run / "inputs" / "upload" / "upload").write_bytes(content)
    chosen = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "schema": 1, **spec}
    (run / "spec.json").write_text(json.dumps(chosen))
    subprocess.run(
        [sys.executable, *command, "--run-dir", str(run)],
        cwd=ROOT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        timeout=120,
    )
    result: dict[str, Any] = json.loads((run / "result.json").read_text())
    return result


def report_of(run: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((run / "output" / "report.json").read_text())
    return report


def test_it_leaves_the_rows_and_a_report(tmp_path: Path) -> None:
    result = run_child(tmp_path, pairs(20))
    assert result["ok"]
    names = [artifact["name"] for artifact in result["artifacts"]]
    assert names == ["findings.jsonl", "report.json", "rows.idx", "test.jsonl", "train.jsonl"]
    assert result["metrics"]["rows"] == 20


def test_a_file_with_problems_is_a_run_that_succeeded(tmp_path: Path) -> None:
    result = run_child(tmp_path, b"{broken\n")
    assert result["ok"]
    assert [artifact["name"] for artifact in result["artifacts"]] == ["findings.jsonl", "report.json"]
    assert not report_of(tmp_path)["accepted"]


def test_another_file_than_the_uploaded_one_is_a_platform_error(tmp_path: Path) -> None:
    result = run_child(tmp_path, pairs(3), sha256="0" * 64)
    assert result["error"]["code"] == "platform:object_damaged"
    assert result["error"]["temporary"]


def test_it_stops_when_asked_to_and_leaves_no_rows(tmp_path: Path) -> None:
    (tmp_path / "cancel").touch()
    result = run_child(tmp_path, pairs(200_000))
    assert result["cancelled"]
    assert result["error"]["code"] == "dataset:cancelled"
    assert not result["artifacts"]


def test_a_small_parquet_file_that_unfolds_to_gigabytes_is_refused(tmp_path: Path) -> None:
    big = pa.DictionaryArray.from_arrays(pa.array([0] * 64, pa.int32()), pa.array(["x" * (20 << 20)]))
    path = tmp_path / "bomb.parquet"
    pq.write_table(pa.table({"prompt": big, "completion": ["a"] * 64}), path, compression="zstd", store_schema=False)
    content = path.read_bytes()
    assert len(content) < 1 << 20
    run = tmp_path / "run"
    assert run_child(run, content, limit=LIMIT // 2)["ok"]
    report = report_of(run)
    assert not report["accepted"]
    assert report["problems"][0]["code"] == "dataset:row_too_long"


def test_memory_stays_flat_while_the_file_grows(tmp_path: Path) -> None:
    small, large = peak_mib(tmp_path / "small", rows=20_000), peak_mib(tmp_path / "large", rows=120_000)
    assert large < 100
    # A hundred megabytes more of rows, each of them new, cost no more than the cache of their fingerprints.
    assert large - small < 15


def peak_mib(run: Path, *, rows: int) -> float:
    row = b'{"prompt": "%d", "completion": "' + b"x" * 960 + b'"}\n'
    run_child(run, b"".join(row % number for number in range(rows)), command=("-c", MEASURED))
    assert report_of(run)["rows"] == rows
    return int((run / "peak").read_text()) / 1024
