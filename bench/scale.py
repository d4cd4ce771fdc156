"""Every page and every REST list of a large site, and its collector.

`make bench-scale`. The site of bench/scale_site.py and bench/scale_usage.py is written into a PostgreSQL of its own,
then each address is asked for by Django's test client, in this process, as the large tenant's owner. `SCALE_ROUNDS`
sets how many are counted (20), `SCALE_ONLY` a part of the names to measure.
"""

import logging
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.report import ROOT, Goal, finish
from portal.embedded import runtime

ROUNDS = int(os.environ.get("SCALE_ROUNDS", "20"))
ONLY = os.environ.get("SCALE_ONLY", "")
MOST_MS = 100.0
PACKAGES = ("django", "djangorestframework", "psycopg", "numpy")


@contextmanager
def running_services(folder: Path) -> Iterator[str]:
    """A database and a broker of their own, migrated and named in the environment; yields the owner's URL."""
    folder.chmod(0o755)
    with runtime.start(folder) as services, patch.dict(os.environ):
        os.environ |= services.urls | {
            "PORTAL_VAR": str(folder),
            "SECRET_KEY": secrets.token_urlsafe(48),
            "ALLOWED_HOSTS": "testserver",
            "LOG_LEVEL": "ERROR",
            "DJANGO_SETTINGS_MODULE": "portal.settings",
        }
        owner = services.urls["DATABASE_OWNER_URL"]
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
        subprocess.run(migrate, cwd=ROOT, env=os.environ | {"DATABASE_URL": owner}, check=True)
        yield owner


def measure(owner_url: str, folder: Path) -> dict[str, float]:
    """Seed, then the figures: milliseconds of each address, and the collector's rows a second."""
    import django
    import psycopg

    django.setup()
    # What has no GET says so in the log.
    logging.disable(logging.WARNING)
    from bench import scale_collector, scale_site, scale_usage

    began = time.perf_counter()
    site = scale_site.seed_site()
    _say(f"the site is there after {time.perf_counter() - began:.0f} s")
    scale_usage.seed_usage(site)
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    _say(f"usage is there after {time.perf_counter() - began:.0f} s")
    figures = measure_addresses(site)
    if not ONLY:
        figures["collector_rows_per_second"] = scale_collector.rate(
            [site.tenant, *site.others], folder / "bench-ledger"
        )
    return figures


def measure_addresses(site: Any) -> dict[str, float]:
    """The 95th percentile of each address in milliseconds; prints the whole table."""
    from django.test import Client

    from bench.scale_addresses import addresses
    from bench.scale_measure import ask_in_turns, ask_once, print_table
    from bench.scale_rows import rows_of

    client = Client()
    client.force_login(site.owner, backend="django.contrib.auth.backends.ModelBackend")
    named = [(name, url) for name, url in addresses(rows_of(site)) if ONLY in name]
    asked = [one for name, url in named if (one := ask_once(client, name, url))]
    ask_in_turns(client, asked, ROUNDS)
    print_table(asked, MOST_MS)
    return {f"{one.name} p95_ms": one.p95_ms for one in asked}


def _say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    """Measure and report."""
    with tempfile.TemporaryDirectory(prefix="adapter-portal-bench-") as name:
        folder = Path(name)
        with running_services(folder) as owner_url:
            figures = measure(owner_url, folder)
    goals: dict[str, Goal] = {key: ("<=", MOST_MS) for key in figures if key.endswith(" p95_ms")}
    if "collector_rows_per_second" in figures:
        goals["collector_rows_per_second"] = (">=", 10_000)
    return finish("scale", figures=figures, goals=goals, packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
