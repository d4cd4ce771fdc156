"""One tenant queues ten thousand jobs and another queues one: how long that one waits, and what fairness costs.

The portal's queue and plain Celery take turns in one run, with the same broker, the same two worker processes and the
same work: waiting one second, as if for a remote response, about as long as the portal's shortest jobs. Plain Celery's
tasks are published at the start of their round; the portal's jobs come from the long queue, which exists throughout.
"""

import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from bench.report import ROOT, Goal, finish
from portal.embedded import runtime

WORKERS = 2
QUEUED = 10_000
SERVICE_SECONDS = 1.0
NEWCOMERS = 8
ROUNDS = 3
PER_ROUND = 60
PACKAGES = ("celery", "kombu", "django", "psycopg", "redis")
GOALS: dict[str, Goal] = {"newcomer_waits_service_times": ("<=", 2.0), "throughput_loss_percent": ("<=", 5.0)}


@contextmanager
def running_worker(folder: Path) -> Iterator[None]:
    """Run a separate database, broker and worker, set up like the site's."""
    folder.chmod(0o755)
    with runtime.start(folder) as services, patch.dict(os.environ):
        os.environ |= services.urls | {
            "PORTAL_VAR": str(folder),
            "SECRET_KEY": secrets.token_urlsafe(48),
            "LOG_LEVEL": "ERROR",
            "LOCAL_COMPUTE_SLOTS": str(WORKERS),
            "DJANGO_SETTINGS_MODULE": "portal.settings",
        }
        owner = os.environ | {"DATABASE_URL": services.urls["DATABASE_OWNER_URL"]}
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], cwd=ROOT, env=owner, check=True)
        celery = [sys.executable, "-m", "celery", "-A", "portal", "worker", "-B", "--include", "bench.fairness_work"]
        worker = subprocess.Popen(
            [*celery, "--concurrency", str(WORKERS), "--without-mingle", "--without-gossip"],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        try:
            yield
        finally:
            worker.terminate()
            worker.wait(60)


def measure(figures: dict[str, float]) -> None:
    """Queue the jobs, measure the newcomer's waiting times, then the two rates in turn."""
    import django

    django.setup()
    from bench import fairness_work as work

    crowd, newcomer = work.make_tenant("crowd", WORKERS), work.make_tenant("newcomer", WORKERS)
    started = time.perf_counter()
    work.queue_jobs(crowd, QUEUED, SERVICE_SECONDS)
    figures["queued_jobs"] = QUEUED
    figures["queued_per_second"] = QUEUED / (time.perf_counter() - started)
    print("waiting times of a newcomer", flush=True)
    waits = [work.waiting_seconds(newcomer, SERVICE_SECONDS) / SERVICE_SECONDS for _ in range(NEWCOMERS)]
    figures["newcomer_waits_service_times"] = max(waits)
    figures["newcomer_waits_service_times_median"] = statistics.median(waits)
    print("throughput, in turn", flush=True)
    work.portal_rate(crowd, WORKERS, WORKERS)
    rates: dict[str, list[float]] = {"portal": [], "celery": []}
    for _ in range(ROUNDS):
        rates["celery"].append(work.plain_rate(PER_ROUND, SERVICE_SECONDS))
        rates["portal"].append(work.portal_rate(crowd, PER_ROUND, WORKERS))
    portal, celery = (statistics.median(rates[name]) for name in ("portal", "celery"))
    figures |= {"celery_per_second": celery, "portal_per_second": portal}
    figures["overhead_ms_per_job"] = WORKERS * (1 / portal - 1 / celery) * 1000
    figures["throughput_loss_percent"] = (1 - portal / celery) * 100


def main() -> int:
    """Measure and report."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="adapter-portal-bench-") as folder, running_worker(Path(folder)):
        measure(figures)
    return finish("fairness", figures=figures, goals=GOALS, packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
