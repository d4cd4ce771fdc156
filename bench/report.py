"""The report of a benchmark: a table on the screen, and var/bench/NAME.json.

The file contains {"name", "figures": {key: number}, "goals": {key: [">=" or "<=", number]}, "met", "machine", "when",
"versions"}.
"""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

Goal = tuple[Literal[">=", "<="], float]
ROOT = Path(__file__).parents[1]


def is_met(figure: float, goal: Goal) -> bool:
    """Whether a figure reaches its goal."""
    sign, limit = goal
    return figure >= limit if sign == ">=" else figure <= limit


def describe_machine() -> dict[str, Any]:
    """Processor, cores and memory that the figures were measured on."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def finish(name: str, *, figures: Mapping[str, float], goals: Mapping[str, Goal], packages: Sequence[str]) -> int:
    """Print the table, write the report, and return the exit status: 0 if every goal is met.

    Each goal's key must be the key of a figure. Figures keep their order.
    """
    met = {key: is_met(figures[key], goal) for key, goal in goals.items()}
    report = {
        "name": name,
        "figures": dict(figures),
        "goals": {key: list(goal) for key, goal in goals.items()},
        "met": all(met.values()),
        "machine": describe_machine(),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {package: version(package) for package in packages},
    }
    width = max(map(len, figures))
    print(f"\n{name}")
    for key, value in figures.items():
        sign, limit = goals.get(key, ("", 0.0))
        verdict = f"   goal {sign} {limit:g}: {'met' if met[key] else 'MISSED'}" if key in goals else ""
        print(f"  {key:<{width}}  {value:>10.2f}{verdict}")
    folder = Path(os.environ.get("PORTAL_VAR", ROOT / "var")) / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(report, indent=2) + "\n")
    print(f"\nwritten to {path}")
    return 0 if report["met"] else 1
