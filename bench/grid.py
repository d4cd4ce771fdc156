"""The grid of a large evaluation: 20,000 rows by four models, as a person browses it.

`make bench-grid`. The evaluations of bench/grid_rows.py are written into a PostgreSQL of its own and scored, then each
address is asked for by Django's test client, in this process, in turns; `GRID_ROUNDS` sets how often (20), `GRID_ROWS`
how many rows there are.
"""

import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bench.report import Goal, finish
from bench.scale import running_services

ROUNDS = int(os.environ.get("GRID_ROUNDS", "20"))
ROWS = int(os.environ.get("GRID_ROWS", "20000"))
MOST_QUERIES = 30
MOST_EXPORT_MB = 64.0
PACKAGES = ("django", "psycopg", "numpy")

PAGES = {
    "first page": ("", 100.0),
    "100 rows": ("?size=100", 250.0),
    "got worse": ("?show=worse", 150.0),
    "got better, base wrong": ("?show=better&wrong=base", 150.0),
    "answers differ": ("?show=differs", 150.0),
    "low confidence": ("?show=unsure", 150.0),
    "judge and experts differ": ("?show=disputed", 150.0),
    "one slice": ("?slice=leases", 150.0),
    "shortest third": ("?length=short", 150.0),
    "deep page": ("?sort=position&page={deep}", 150.0),
    "by grade": ("?sort=judge", 150.0),
    "by metric": ("?sort=-rouge_l", 150.0),
    "rare word": ("?q={rare}", 500.0),
    "absent word": ("?q=zyzzyva", 500.0),
    "in every row": ("?q=er", 500.0),
    "figures": ("figures/", 200.0),
    "figures of another metric": ("figures/?metric=meteor", 200.0),
    "one row": ("rows/{middle}/", 100.0),
    "one row of a search": ("rows/{middle}/?q={rare}", 500.0),
}
LABEL_PAGES = {"labels, first page": ("", 100.0), "labels, figures": ("figures/", 200.0)}
"""Address below that of the evaluation, and milliseconds at most."""


def measure(owner_url: str) -> tuple[dict[str, float], dict[str, Goal]]:
    """Seed, score, and ask: figures and their goals."""
    import django
    import psycopg

    django.setup()
    logging.disable(logging.WARNING)
    from bench import grid_rows
    from tenants.models import User
    from tenants.people.services import create_tenant
    from tenants.scope import tenant_scope

    figures: dict[str, float] = {}
    owner = User.objects.create_user("owner@example.com", name="Olive Owner")
    tenant = create_tenant(name="Large Law", owner=owner)
    writer = grid_rows.Writer()
    with tenant_scope(tenant.id):
        versions = grid_rows.versions_of(tenant)
        prose = grid_rows.Texts(expected=lambda: writer.text(writer.length(40)), wrong=writer.wrong)
        labels = grid_rows.Texts(expected=writer.label, wrong=writer.wrong_label)
        runs = [grid_rows.answered_run(tenant, versions, writer, texts, rows=ROWS) for texts in (prose, labels)]
        _analyse(psycopg.connect(owner_url, autocommit=True))
        for run, name in zip(runs, ("texts", "labels"), strict=True):
            seconds, peak = measured(partial(score, run))
            figures |= {f"scoring {name} seconds": seconds, f"scoring {name} peak_mb": peak}
    goals = _ask(owner, runs, figures, suffix=" without grades")
    with tenant_scope(tenant.id):
        for run in runs:
            grid_rows.judge(run, owner)
    _analyse(psycopg.connect(owner_url, autocommit=True))
    goals |= _ask(owner, runs, figures)
    goals |= _download(owner, runs[0], figures)
    return figures, goals


def score(run: Any) -> None:
    """Really compute an evaluation's scores and summary."""
    from evaluations.runs.stages.scoring import score_run

    run.summary = score_run(run)
    run.save(update_fields=["summary"])


def _ask(owner: Any, runs: list[Any], figures: dict[str, float], *, suffix: str = "") -> dict[str, Goal]:
    """Adds the median of each page in milliseconds and the most queries to `figures`; returns their goals."""
    from django.urls import reverse

    from bench.grid_rows import RARE
    from bench.scale_measure import ask_in_turns, ask_once, print_table

    client = _client(owner)
    values = {"rare": RARE, "middle": ROWS // 2, "deep": ROWS // 30}
    asked: list[Any] = []
    goals: dict[str, Goal] = {}
    for run, pages in zip(runs, (PAGES, LABEL_PAGES), strict=True):
        here = reverse("evaluations:detail", args=[run.id])
        for name, (address, most) in pages.items():
            one = ask_once(client, f"{name}{suffix}", here + address.format(**values))
            if one is not None:
                asked.append(one)
                goals[f"{one.name} ms"] = ("<=", most)
    ask_in_turns(client, asked, ROUNDS)
    print_table(asked, 100.0)
    _say(f"load {os.getloadavg()[0]:.1f}")
    figures |= {f"{one.name} ms": one.p50_ms for one in asked}
    figures[f"most queries{suffix}"] = max(one.queries for one in asked)
    goals[f"most queries{suffix}"] = ("<=", MOST_QUERIES)
    return goals


def _download(owner: Any, run: Any, figures: dict[str, float]) -> dict[str, Goal]:
    from django.urls import reverse

    client = _client(owner)
    goals: dict[str, Goal] = {}
    address = reverse("evaluations:export", args=[run.id])
    for file_type in ("csv", "jsonl", "parquet"):
        for query in ("&show=commented", ""):
            # The first takes what stays: libraries and caches.
            seconds, peak = measured(partial(_read, client, f"{address}?format={file_type}{query}"))
        figures |= {f"export {file_type} seconds": seconds, f"export {file_type} peak_mb": peak}
        goals[f"export {file_type} peak_mb"] = ("<=", MOST_EXPORT_MB)
    return goals


def _client(owner: Any) -> Any:
    from django.test import Client

    client = Client()
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _read(client: Any, address: str) -> None:
    for _ in client.get(address).streaming_content:
        pass


def measured(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds, and by how many MB this process's memory grew at its highest."""
    Path("/proc/self/clear_refs").write_text("5")
    before, began = _memory_mb("VmRSS"), time.perf_counter()
    work()
    return time.perf_counter() - began, _memory_mb("VmHWM") - before


def _memory_mb(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def _analyse(connection: Any) -> None:
    with connection:
        connection.execute("VACUUM ANALYZE")


def _say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    """Measure and report."""
    with tempfile.TemporaryDirectory(prefix="adapter-portal-bench-") as name, running_services(Path(name)) as owner_url:
        figures, goals = measure(owner_url)
    return finish("grid", figures=figures, goals=goals, packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
