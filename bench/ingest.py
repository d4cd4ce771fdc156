"""The check of customers' files against Hugging Face `datasets` with a plain validator.

`make bench-ingest`. An equal mix of five kinds (see bench/ingest_files.py): chat with a metadata key, prompt and
completion with id and split, text and label, CSV, Parquet. Both sides get the same files in turn, each file in a
separate process. Ours is the same child process as on the site (`python -m corpora.ingest`), which also searches for
personal data and writes the checked rows. `INGEST_BYTES` sets the total size of the five files (1 GB), `INGEST_ROUNDS`
the number of runs of each. `with_closer_look` includes the sample of rows that a real check examines more closely.
`cpu` is the processor time of all of a side's processes, which depends less on other work on the machine.
"""

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.ingest_files import write_files
from bench.report import ROOT, finish
from corpora.ingest.contracts import SAMPLED_ROWS
from scripts.peers import peer_python

BYTES = int(os.environ.get("INGEST_BYTES", "1_000_000_000"))
ROUNDS = int(os.environ.get("INGEST_ROUNDS", "3"))
VAR = Path(os.environ.get("PORTAL_VAR", ROOT / "var"))


def main() -> int:
    """Run both in turns and report."""
    peer = peer_python("datasets")
    folder = Path(tempfile.mkdtemp(prefix="bench-ingest-", dir=_made(VAR)))
    figures: dict[str, float] = {"file_mb": 0.0, "rows": 0.0}
    sides = ("ours", "ours_cpu", "peer", "peer_cpu", "looked")
    totals: dict[str, list[float]] = {side: [0.0] * ROUNDS for side in sides}
    peaks: dict[str, float] = {}
    kinds: dict[str, float] = {}
    try:
        for path in write_files(folder, BYTES // 5):
            seconds: dict[str, list[float]] = {name: [] for name in totals}
            for _ in range(ROUNDS):
                begun = _cpu_seconds()
                ours, peak, report = _run_ours(folder / "run", path, sampled_rows=0)
                between = _cpu_seconds()
                theirs, found = _run_peer(peer, folder / "cache", path)
                ended = _cpu_seconds()
                looked, looked_peak, _ = _run_ours(folder / "run", path, sampled_rows=SAMPLED_ROWS)
                if found["errors"] or found["rows"] != report["rows"]:
                    raise SystemExit(f"The row counts of {path.name} differ: {found['rows']} and {report['rows']}.")
                measured = (ours, between - begun, theirs, ended - between, looked)
                for side, value in zip(sides, measured, strict=True):
                    seconds[side].append(value)
                peaks[path.name] = max(peak, looked_peak, peaks.get(path.name, 0.0))
            for name, values in seconds.items():
                totals[name] = [total + value for total, value in zip(totals[name], values, strict=True)]
            figures["file_mb"] += path.stat().st_size / 1e6
            figures["rows"] += report["rows"]
            for name in ("ours", "ours_cpu", "peer"):
                kinds[f"{path.name} {name}_seconds"] = statistics.median(seconds[name])
            kinds[f"{path.name} ratio"] = _ratio(seconds["ours"], seconds["peer"])
            kinds[f"{path.name} peak_mb"] = peaks[path.name]
            path.unlink()
    finally:
        shutil.rmtree(folder)
    figures |= {
        "ours_seconds": statistics.median(totals["ours"]),
        "peer_seconds": statistics.median(totals["peer"]),
        "ratio": _ratio(totals["ours"], totals["peer"]),
        "ours_cpu_seconds": statistics.median(totals["ours_cpu"]),
        "peer_cpu_seconds": statistics.median(totals["peer_cpu"]),
        "ours_mb_per_second": figures["file_mb"] / statistics.median(totals["ours"]),
        "peer_mb_per_second": figures["file_mb"] / statistics.median(totals["peer"]),
        "with_closer_look_seconds": statistics.median(totals["looked"]),
        "peak_memory_mb": max(peaks.values()),
    }
    return finish(
        "ingest",
        figures=figures | kinds,
        goals={"ratio": (">=", 5.0), "peak_memory_mb": ("<=", 128.0)},
        packages=["msgspec", "jiter", "numpy", "pyarrow", "hyperscan"],
    )


def _cpu_seconds() -> float:
    """Processor seconds of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _ratio(ours: list[float], theirs: list[float]) -> float:
    return statistics.median(their / our for their, our in zip(theirs, ours, strict=True))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _run_ours(run: Path, path: Path, *, sampled_rows: int) -> tuple[float, float, dict[str, Any]]:
    """Returns (seconds, peak proportional memory of the child and its readers in MB, report)."""
    shutil.rmtree(run, ignore_errors=True)
    (run / "inputs" / "upload").mkdir(parents=True)
    (run / "inputs" / "upload" / "upload").hardlink_to(path)
    spec = {"bytes": path.stat().st_size, "sampled_rows": sampled_rows, "schema": 1}
    (run / "spec.json").write_text(json.dumps(spec))
    begun = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-m", "corpora.ingest", "--run-dir", run], cwd=ROOT)
    peak = 0.0
    while child.poll() is None:
        peak = max(peak, _memory_mb(child.pid))
        time.sleep(0.05)
    seconds = time.perf_counter() - begun
    if child.returncode:
        raise SystemExit(f"Our check exited with status {child.returncode}.")
    report: dict[str, Any] = json.loads((run / "output" / "report.json").read_text())
    shutil.rmtree(run)
    return seconds, peak, report


def _memory_mb(pid: int) -> float:
    """Proportional set size of a process and its children in MB: shared pages count once."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    total = 0.0
    for process in (str(pid), *children):
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024 / 1e6
    return total


def _run_peer(python: Path, cache: Path, path: Path) -> tuple[float, dict[str, Any]]:
    """Returns (seconds, the JSON object it printed)."""
    shutil.rmtree(cache, ignore_errors=True)
    command = [python, Path(__file__).with_name("plain_validator.py"), path, cache]
    begun = time.perf_counter()
    done = subprocess.run(
        command, env={**os.environ, "HF_HUB_OFFLINE": "1"}, capture_output=True, text=True, check=True
    )
    seconds = time.perf_counter() - begun
    shutil.rmtree(cache)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return seconds, found


if __name__ == "__main__":
    sys.exit(main())
