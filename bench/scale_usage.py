"""Usage of the large site: a million invocations, and roll-ups of 31 days, half of each in the large tenant."""

import datetime as dt
from collections.abc import Sequence

import numpy as np
from django.db import connection
from django.utils import timezone

from bench.scale_site import SEED, Site
from metering.ledger.months import add_months, month_of
from metering.ledger.rollup import Fact, Sums, add_sums
from metering.ledger.sketches import Bins
from metering.models import RollUp
from serving.models import Route
from tenants.models import Tenant
from tenants.scope import system_scope

INVOCATIONS = 1_000_000
DAYS = 31
LINES, HOURS_OF_OTHERS = 160, 150
REQUESTS_AN_HOUR = 300
HOUR = dt.timedelta(hours=1)


def seed_usage(site: Site) -> None:
    """Roll-ups by the collector's own function, a day at a time; invocations by one statement."""
    rng = np.random.default_rng(SEED)
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    with system_scope():
        large = _aliases(site.tenant)[:LINES]
        others = [line for tenant in site.others for line in _aliases(tenant)]
        for ago in range(DAYS * 24):
            lines = [*large, *(others if ago < HOURS_OF_OTHERS else [])]
            _used(rng, now - ago * HOUR, lines)
        _insert_invocations(site)


def _aliases(tenant: Tenant) -> list[tuple[Tenant, str, str]]:
    routes = Route.objects.filter(tenant=tenant).values_list("alias", "active__version")
    return [(tenant, alias, str(version_id)) for alias, version_id in routes]


def _used(rng: np.random.Generator, hour: dt.datetime, lines: Sequence[tuple[Tenant, str, str]]) -> None:
    keys = [Fact(str(tenant.id), hour, alias, key, "shared", "") for tenant, alias, key in lines]
    facts = {key: place for place, key in enumerate(keys)}
    size = len(facts)
    counted = {name: np.zeros(size, np.int64) for name in RollUp.SUMS} | {
        "requests": np.full(size, REQUESTS_AN_HOUR), "failed": np.full(size, 3), "prompt_tokens": np.full(size, 30_000),
        "completion_tokens": np.full(size, 15_000), "busy_us": np.full(size, 20_000_000),
    }  # fmt: skip
    latencies = rng.lognormal(5, 0.5, size * REQUESTS_AN_HOUR)
    groups = np.repeat(np.arange(size), REQUESTS_AN_HOUR)
    bins = Bins.of_values(groups, latencies)
    add_sums(facts, Sums(counted, {"latency_sketch": bins, "first_token_sketch": bins}))


def _insert_invocations(site: Site) -> None:
    now = timezone.now()
    add_months({month_of(now - dt.timedelta(days=day)) for day in range(DAYS)})
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO metering_invocation
                (tenant_id, request_id, at, key_id, alias, version_id, endpoint, deployment, status, error_code,
                 prompt_tokens, cached_tokens, completion_tokens, latency_ms, first_token_ms, busy_ms, cold_start,
                 streamed)
            SELECT
                CASE WHEN n %% 2 = 0 THEN %s ELSE (%s::uuid[])[1 + n %% %s] END,
                'req-' || md5(n::text), now() - n * interval '2 seconds', gen_random_uuid(), 'desk-' || n %% 160,
                gen_random_uuid(), 'shared', 'a', 200, '', 100, 0, 50, 150.0, 20.0, 60.0, false, false
            FROM generate_series(1, %s) n
            """,
            [site.tenant.id, [tenant.id for tenant in site.others], len(site.others), INVOCATIONS],
        )
