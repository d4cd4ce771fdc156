"""Checking a large file of conversations, against Hugging Face `datasets` and a plain validator.

`make bench-ingest`. Both get the same file, in turns, each as a whole process: ours is the very child that the site
runs (`python -m corpora.ingest`), which also looks for personal data and writes the checked rows. `INGEST_BYTES` sets
the file's size (1 GB), `INGEST_ROUNDS` how often each is run.

The file: conversations of one turn (70 %) to three, half with a system prompt, prompts of 40 to 400 characters and
answers of 100 to 1,000, drawn evenly; one row in a hundred is there twice; every other row writes letters beyond ASCII
as escapes.
"""

import hashlib
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
    try:
        path = folder / "conversations.jsonl"
        rows = _write_conversations(path)
        ours: list[float] = []
        looked: list[float] = []
        theirs: list[float] = []
        peaks: list[float] = []
        hashing: list[float] = []
        for _ in range(ROUNDS):
            seconds, peak, report = _run_ours(folder / "run", path, sampled_rows=0)
            ours.append(seconds)
            peaks.append(peak)
            seconds, found = _run_peer(peer, folder / "cache", path)
            theirs.append(seconds)
            if found["errors"] or found["rows"] != report["rows"]:
                raise SystemExit(f"The two do not agree: {found['rows']} and {report['rows']} rows.")
            seconds, peak, _ = _run_ours(folder / "run", path, sampled_rows=SAMPLED_ROWS)
            looked.append(seconds)
            peaks.append(peak)
            hashing.append(_sha256_seconds(path))
    finally:
        shutil.rmtree(folder)
    megabytes = BYTES / 1e6
    figures = {
        "file_mb": megabytes,
        "rows": float(rows),
        "ours_seconds": statistics.median(ours),
        "peer_seconds": statistics.median(theirs),
        "ratio": statistics.median(their / our for their, our in zip(theirs, ours, strict=True)),
        "ours_mb_per_second": megabytes / statistics.median(ours),
        "peer_mb_per_second": megabytes / statistics.median(theirs),
        "with_closer_look_seconds": statistics.median(looked),
        "sha256_mb_per_second": megabytes / statistics.median(hashing),
        "share_of_sha256_speed": statistics.median(hashing) / statistics.median(ours),
        "peak_memory_mb": max(peaks),
    }
    return finish(
        "ingest",
        figures=figures,
        goals={"ratio": (">=", 8.0), "peak_memory_mb": ("<=", 128.0)},
        packages=["msgspec", "numpy", "hyperscan"],
    )


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write_conversations(path: Path) -> int:
    """Write `BYTES` of conversations; how many."""
    draw = random.Random(20_261_122)
    letters = "etaoinshrdlucmfwypvbgkéü"
    words = ["".join(draw.choices(letters, k=draw.randint(2, 9))) for _ in range(5_000)]

    def text(low: int, high: int) -> str:
        wanted = draw.randint(low, high)
        return " ".join(draw.choices(words, k=wanted // 6 + 1))[:wanted].strip() + "."

    def rows() -> Iterator[str]:
        number = 0
        while True:
            turns = [{"role": "system", "content": "You answer customers of Acme."}] if draw.random() < 0.5 else []
            for _ in range(draw.choice((1, 1, 1, 1, 1, 1, 1, 2, 2, 3))):
                turns.append({"role": "user", "content": text(40, 400)})
                turns.append({"role": "assistant", "content": text(100, 1_000)})
            line = json.dumps({"messages": turns}, ensure_ascii=number % 2 == 0) + "\n"
            yield line
            number += 1
            if number % 100 == 0:
                yield line

    written = count = 0
    with path.open("w", encoding="utf-8") as file:
        for line in rows():
            written += file.write(line)
            count += 1
            if written >= BYTES:
                return count
    raise AssertionError("rows do not end")


def _run_ours(run: Path, path: Path, *, sampled_rows: int) -> tuple[float, float, dict[str, Any]]:
    """(seconds, peak of the proportional memory of the child and its readers in MB, the report)."""
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
        raise SystemExit(f"Our check ended with {child.returncode}.")
    report: dict[str, Any] = json.loads((run / "output" / "report.json").read_text())
    shutil.rmtree(run)
    return seconds, peak, report


def _memory_mb(pid: int) -> float:
    """Proportional set size of a process and its children: pages that several share are counted once."""
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
    """(seconds, what it printed)."""
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


def _sha256_seconds(path: Path) -> float:
    """How long the bare SHA-256 of the file takes."""
    begun = time.perf_counter()
    with path.open("rb") as file:
        hashlib.file_digest(file, "sha256")
    return time.perf_counter() - begun


if __name__ == "__main__":
    sys.exit(main())
