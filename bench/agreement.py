"""What a large round comes to: the page of agreement, the verdict, and the evidence pack of a decision.

`make bench-agreement`. An evaluation of bench/grid_rows.py, judged and graded by three experts each, is written into a
PostgreSQL of its own. Measured: the page of agreement at first and from the cache, a decision's page likewise, and the
time and memory that its evidence pack takes. `AGREEMENT_ROWS` sets how many rows there are (20,000).
"""

import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench.grid import measured, score
from bench.report import Goal, finish
from bench.scale import running_services

ROWS = int(os.environ.get("AGREEMENT_ROWS", "20000"))
TIMES = 10
GOALS: dict[str, Goal] = {
    "agreement, first ms": ("<=", 1_000.0),
    "agreement, again ms": ("<=", 200.0),
    "evidence pack peak_mb": ("<=", 128.0),
}


def measure(owner_url: str) -> dict[str, float]:
    """Seed, and the figures: milliseconds, seconds and MB."""
    import django
    import psycopg

    django.setup()
    logging.disable(logging.WARNING)
    from django.test import Client
    from django.urls import reverse

    from bench import grid_rows
    from evaluations.gates.packs.writing import write_pack
    from evaluations.gates.services import open_decision
    from tenants.models import User
    from tenants.people.services import add_member, create_tenant
    from tenants.permissions import Role
    from tenants.scope import tenant_scope

    owner, *experts = (User.objects.create_user(f"{name}@example.com", name=name.title()) for name in ("olive", *"abc"))
    tenant = create_tenant(name="Large Law", owner=owner)
    writer = grid_rows.Writer()
    texts = grid_rows.Texts(expected=lambda: writer.text(writer.length(40)), wrong=writer.wrong)
    with tenant_scope(tenant.id):
        for expert in experts:
            add_member(tenant=tenant, user=expert, role=Role.REVIEWER)
        run = grid_rows.answered_run(tenant, grid_rows.versions_of(tenant), writer, texts, rows=ROWS)
        score(run)
        grid_rows.judge(run, owner)
        large = grid_rows.graded_round(run, experts)
        decision = open_decision(tenant=tenant, version=run.version, run=run, opened_by=owner)
        with psycopg.connect(owner_url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
    client = Client()
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    pages = {
        "agreement": reverse("evaluations:agreement", args=[run.id]),
        "decision": reverse("evaluations:decision", args=[decision.id]),
        "round": reverse("evaluations:review-round", args=[large.id]),
    }
    figures: dict[str, float] = {}
    for name, address in pages.items():
        figures |= {
            f"{name}, first ms": _ms(partial(client.get, address)),
            f"{name}, again ms": median(_ms(partial(client.get, address)) for _ in range(TIMES)),
        }
    with tenant_scope(tenant.id), tempfile.TemporaryFile() as file:
        seconds, peak = measured(lambda: write_pack(decision, file))
        figures |= {
            "evidence pack seconds": seconds,
            "evidence pack peak_mb": peak,
            "evidence pack mb": file.tell() / 2**20,
        }
    return figures


def _ms(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def main() -> int:
    """Measure and report."""
    with tempfile.TemporaryDirectory(prefix="adapter-portal-bench-") as name, running_services(Path(name)) as owner_url:
        figures = measure(owner_url)
    return finish("agreement", figures=figures, goals=GOALS, packages=("django", "psycopg", "numpy"))


if __name__ == "__main__":
    sys.exit(main())
