"""A million ledger rows, a tenth of them repeated and a twentieth late, while the collector is killed ten times.

`make bench-usage_kills`. Afterwards every sum of the roll-ups is compared with the rows themselves, each counted once.
`KILLS_ROWS` and `KILLS` set how many.
"""

import logging
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from uuid import UUID

from bench.report import ROOT, Goal, finish
from bench.scale import running_services
from bench.usage_kills_rows import Truth, write_ledgers

ROWS = int(os.environ.get("KILLS_ROWS", "1000000"))
KILLS = int(os.environ.get("KILLS", "10"))
GOALS: dict[str, Goal] = {"rows_missing_or_twice": ("<=", 0), "sums_that_differ": ("<=", 0), "kills": (">=", KILLS)}
PACKAGES = ("django", "psycopg", "numpy")


def measure(folder: Path) -> dict[str, float]:
    """Write the ledgers, collect them under fire, and compare."""
    import django

    django.setup()
    logging.disable(logging.WARNING)
    from metering.models import Invocation, LedgerFile
    from tenants.models import Tenant
    from tenants.scope import system_scope

    ledgers = folder / "ledgers"
    ledgers.mkdir()
    with system_scope():
        tenants = Tenant.objects.bulk_create(Tenant(slug=f"t-{number}", name=f"T {number}") for number in range(200))
    truth = write_ledgers(ledgers, [str(tenant.id) for tenant in tenants], ROWS)
    size = sum(path.stat().st_size for path in ledgers.iterdir())
    rng, kills, began = random.Random(7), 0, time.perf_counter()
    while True:
        collector = subprocess.Popen([sys.executable, "-m", "bench.usage_kills_collect", str(ledgers)], cwd=ROOT)
        if kills == KILLS:
            collector.wait()
            break
        read = sum(LedgerFile.objects.values_list("offset", flat=True))
        # Somewhere in its work: after it has read some more, and a moment later.
        wanted = read + rng.random() * size / KILLS / 2
        while sum(LedgerFile.objects.values_list("offset", flat=True)) < wanted and collector.poll() is None:
            time.sleep(0.02)
        time.sleep(rng.random())
        if collector.poll() is None:
            collector.send_signal(signal.SIGKILL)
            kills += 1
        collector.wait()
    seconds = time.perf_counter() - began
    with system_scope():
        stored = Invocation.objects.filter(tenant__in=tenants).count()
    return {
        "rows": ROWS,
        "different_rows": truth.count,
        "kills": kills,
        "seconds": seconds,
        "rows_missing_or_twice": abs(stored - truth.count),
        "sums_that_differ": _differences(truth),
    }


def _differences(truth: Truth) -> int:
    """Of hours, days and months: how many keys have other sums than their rows."""
    from metering.models import By, Grain, HourlyUsage, UsageTotal
    from tenants.scope import system_scope

    names = ("requests", "failed", "prompt_tokens", "busy_us")
    with system_scope():
        tenants = [UUID(tenant) for tenant in truth.tenants]
        hours = HourlyUsage.objects.filter(tenant__in=tenants).values_list("tenant_id", "hour", "alias", *names)
        found: Counter[tuple[object, ...]] = Counter()
        for tenant, hour, alias, *sums in hours.iterator(chunk_size=20_000):
            for name, value in zip(names, sums, strict=True):
                found[str(tenant), hour, alias, name] += value
        different = sum(found[key] != truth.sums[key] for key in found.keys() | truth.sums.keys())
        for grain in Grain:
            whole = UsageTotal.objects.filter(tenant__in=tenants, by=By.ALL, grain=grain)
            sums = [sum(values) for values in zip(*whole.values_list(*names).iterator(chunk_size=20_000), strict=True)]
            different += sum(one != truth.total(name) for name, one in zip(names, sums, strict=True))
    return different


def main() -> int:
    """Measure and report."""
    with tempfile.TemporaryDirectory(prefix="adapter-portal-bench-") as name, running_services(Path(name)):
        figures = measure(Path(name))
    return finish("usage_kills", figures=figures, goals=GOALS, packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
