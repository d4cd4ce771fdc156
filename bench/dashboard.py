"""The usage page of a tenant with ten million requests, and how fast requests become roll-ups.

`make bench-dashboard`. The site has a PostgreSQL of its own. One tenant's thousand models were asked for thirteen
months; its roll-ups are made by the product's own rebuild. Pages are asked for by Django's test client, in turns with
an empty page of the same site, so that the machine's other work slows all alike. `DASHBOARD_REQUESTS` sets the number
of requests, `DASHBOARD_ROUNDS` how often a page is asked for.
"""

import logging
import os
import sys
import tempfile
import time
from pathlib import Path

from bench.report import Goal, finish
from bench.scale import running_services

REQUESTS = int(os.environ.get("DASHBOARD_REQUESTS", "10000000"))
ROUNDS = int(os.environ.get("DASHBOARD_ROUNDS", "15"))
GOALS: dict[str, Goal] = {
    "usage_13m_to_empty_page": ("<=", 2.0),
    "usage_30d_by_hour_ms": ("<=", 100.0),
    "p95_relative_error": ("<=", 0.01),
    "collected_one_tenant_per_second": (">=", 20_000),
    "collected_200_tenants_per_second": (">=", 20_000),
}
PACKAGES = ("django", "psycopg", "numpy")


def measure(owner_url: str, folder: Path) -> dict[str, float]:
    """Seed, then the figures."""
    import django

    django.setup()
    logging.disable(logging.WARNING)
    from bench import dashboard_pages, dashboard_rows, scale_collector

    site = dashboard_rows.seed(REQUESTS, owner_url)
    figures = dashboard_pages.measure(site, ROUNDS)
    figures["rebuilt_rows_per_second"] = site.rebuilt_per_second
    for name, tenants in (("one_tenant", [site.tenant]), ("200_tenants", site.others)):
        rates = [scale_collector.rate(tenants, folder / f"{name}-{number}") for number in range(3)]
        figures[f"collected_{name}_per_second"] = sorted(rates)[1]
    return figures


def main() -> int:
    """Measure and report."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="adapter-portal-bench-") as name, running_services(Path(name)) as owner_url:
        figures = measure(owner_url, Path(name))
    print(f"took {time.perf_counter() - began:.0f} s")
    return finish("dashboard", figures=figures, goals=GOALS, packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
