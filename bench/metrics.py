"""The metrics of evaluations against rouge-score, nltk and sacrebleu, and how often intervals hold the truth.

`make bench-metrics`. Both sides score the same pairs (bench/metrics_pairs.py), each in a process of its own, in turns,
and every figure of ours has to be the peer's to 1e-12. Seconds are of the processor and leave out importing.
`METRICS_PAIRS` sets the number of pairs (10,000), `METRICS_ROUNDS` the number of runs of each (3).
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.metrics_pairs import make_pairs
from bench.report import ROOT, finish
from lorakit.stats import cluster_interval, ends_interval
from lorakit.stats.quantiles import t_quantile
from scripts.peers import peer_python

PAIRS = int(os.environ.get("METRICS_PAIRS", "10_000"))
ROUNDS = int(os.environ.get("METRICS_ROUNDS", "3"))
SAMPLES = 4000
PARTS = ("words", "rouge", "meteor", "bleu", "chrf")


def main() -> int:
    """Run both in turns, compare, and report."""
    peer = peer_python("metrics")
    ours: list[dict[str, Any]] = []
    theirs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        pairs, result = Path(folder) / "pairs.json", Path(folder) / "result.json"
        pairs.write_text(json.dumps(make_pairs(PAIRS)))
        for _ in range(ROUNDS):
            for results, command in (
                (ours, [sys.executable, "-m", "bench.metrics_ours"]),
                (theirs, [peer, Path(__file__).with_name("metrics_peer.py")]),
            ):
                subprocess.run([*command, pairs, result], cwd=ROOT, check=True)
                results.append(json.loads(result.read_text()))
    figures = {"pairs": float(PAIRS), "largest_difference": largest_difference(ours[0], theirs[0])}
    for part in PARTS:
        figures[f"{part}_ours_seconds"] = statistics.median(run["seconds"][part] for run in ours)
        figures[f"{part}_peer_seconds"] = statistics.median(run["seconds"][part] for run in theirs)
        figures[f"{part}_ratio"] = ratio(ours, theirs, (part,))
    figures["overall_ratio"] = ratio(ours, theirs, PARTS)
    return finish(
        "metrics",
        figures=figures | simulate(random.Random(5)),
        goals={
            "largest_difference": ("<=", 1e-12),
            "rouge_ratio": (">=", 50.0),
            "overall_ratio": (">=", 5.0),
            "grades_ends_coverage": (">=", 0.93),
            "clusters_coverage": (">=", 0.93),
        },
        packages=["rouge-score-rs", "nltk", "sacrebleu", "numpy"],
    )


def largest_difference(ours: dict[str, Any], theirs: dict[str, Any]) -> float:
    """Over all figures of the peer; its BLEU and chrF go to 100."""
    largest = 0.0
    for alias, column in theirs["columns"].items():
        scale = 100 if alias.startswith(("bleu", "chrf")) else 1
        pairs = zip(ours["columns"][alias], column, strict=True)
        largest = max(largest, *(abs((our or 0.0) - their / scale) for our, their in pairs))
    return largest


def ratio(ours: list[dict[str, Any]], theirs: list[dict[str, Any]], parts: tuple[str, ...]) -> float:
    """Median over the rounds of the peer's seconds to ours."""
    ratios: list[float] = [
        sum(their["seconds"][part] for part in parts) / sum(our["seconds"][part] for part in parts)
        for our, their in zip(ours, theirs, strict=True)
    ]
    return statistics.median(ratios)


def simulate(rng: random.Random) -> dict[str, float]:
    """How many 95% intervals hold the truth: 20 grades, nineteen in twenty a 5; and 20 prompts of 1 to 8 rows."""
    hits = dict.fromkeys(("grades_ends", "grades_t", "clusters", "clusters_as_rows"), 0)
    truth = 0.95 * 5 + 0.05 * 2
    for _ in range(SAMPLES):
        grades = [5 if rng.random() < 0.95 else rng.choice((1, 2, 3)) for _ in range(20)]
        found = ends_interval(grades, low=1, high=5).interval()
        hits["grades_ends"] += found.low <= truth <= found.high
        half = t_quantile(0.975, 19) * statistics.stdev(grades) / 20**0.5
        hits["grades_t"] += abs(statistics.fmean(grades) - truth) <= half
        # Beta(1.4, 0.6) by prompt: 70% pass, with a correlation of a third within a prompt.
        sizes = [rng.randint(1, 8) for _ in range(20)]
        shares = [rng.betavariate(1.4, 0.6) for _ in sizes]
        sums = [sum(rng.random() < share for _ in range(size)) for size, share in zip(sizes, shares, strict=True)]
        found = cluster_interval(sums, sizes, low=0, high=1).interval()
        hits["clusters"] += found.low <= 0.7 <= found.high
        rows = sum(sizes)
        mean = sum(sums) / rows
        hits["clusters_as_rows"] += abs(mean - 0.7) <= t_quantile(0.975, rows - 1) * (mean * (1 - mean) / rows) ** 0.5
    return {f"{name}_coverage": count / SAMPLES for name, count in hits.items()}


if __name__ == "__main__":
    sys.exit(main())
