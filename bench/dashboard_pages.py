"""How long the usage page takes beside an empty page, and how true its percentile is."""

from django.db import connection
from django.test import Client
from django.utils import timezone

from bench.dashboard_rows import Site
from bench.scale_measure import ask_in_turns, ask_once, print_table
from metering.usage.periods import periods
from metering.usage.queries import Slice, usage_of
from tenants.scope import tenant_scope

PAGES = {"usage_13m": "?range=13m", "usage_30d_by_hour": "?range=30d", "usage_24h": "?range=24h"}


def measure(site: Site, rounds: int) -> dict[str, float]:
    """Medians of processor time in milliseconds, their ratio, and the error of the 95th percentile of 13 months."""
    busy, empty = Client(), Client()
    busy.force_login(site.owner, backend="django.contrib.auth.backends.ModelBackend")
    empty.force_login(site.stranger, backend="django.contrib.auth.backends.ModelBackend")
    pages = {name: ask_once(busy, name, f"/usage/{query}") for name, query in PAGES.items()}
    nothing = ask_once(empty, "empty_page", "/datasets/")
    asked = [one for one in pages.values() if one]
    assert nothing
    for _ in range(rounds):
        ask_in_turns(busy, asked, 1)
        ask_in_turns(empty, [nothing], 1)
    print_table([*asked, nothing], 100.0)
    figures = {f"{one.name}_ms": one.processor_p50_ms for one in (*asked, nothing)}
    figures["usage_13m_to_empty_page"] = figures["usage_13m_ms"] / figures["empty_page_ms"]
    figures["p95_relative_error"] = _error(site)
    return figures


def _error(site: Site) -> float:
    period = periods(timezone.now())["13m"]
    with tenant_scope(site.tenant.id):
        told = usage_of(Slice.touching(period.start, period.end)).total.p95_ms
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT percentile_disc(0.95) WITHIN GROUP (ORDER BY latency_ms) FROM metering_invocation"
                " WHERE status < 400 AND at >= %s",
                [period.start],
            )
            exact = float(cursor.fetchone()[0])
    assert told is not None
    return abs(told - exact) / exact
