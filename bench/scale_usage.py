"""Usage of the large site: a million invocations, and roll-ups of 31 days, half of each in the large tenant."""

import datetime as dt
from collections.abc import Iterable

import numpy as np
from django.db import connection
from django.utils import timezone

from bench.scale_site import SEED, Site
from metering.ledger.rollup import Line, Sums, add_to_roll_ups
from metering.ledger.sketches import sketch_of
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
            add_to_roll_ups(_used(rng, now - ago * HOUR, lines))
        _insert_invocations(site)


def _aliases(tenant: Tenant) -> list[tuple[Tenant, str, str]]:
    routes = Route.objects.filter(tenant=tenant).values_list("alias", "active__version")
    return [(tenant, alias, str(version_id)) for alias, version_id in routes]


def _used(rng: np.random.Generator, hour: dt.datetime, lines: Iterable[tuple[Tenant, str, str]]) -> dict[Line, Sums]:
    return {
        Line(tenant.id, hour, alias, version_key): Sums(
            requests=REQUESTS_AN_HOUR, errors=3, prompt_tokens=30_000, completion_tokens=15_000, busy_ms=20_000.0,
            sketches=[sketch_of(rng.lognormal(5, 0.5, REQUESTS_AN_HOUR))],
        )
        for tenant, alias, version_key in lines
    }  # fmt: skip


def _insert_invocations(site: Site) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO metering_invocation
                (id, created_at, tenant_id, request_id, at, key_id, alias, version_id, deployment, status, error_code,
                 prompt_tokens, completion_tokens, latency_ms, first_token_ms, busy_ms, streamed)
            SELECT gen_random_uuid(), now(),
                CASE WHEN n %% 2 = 0 THEN %s ELSE (%s::uuid[])[1 + n %% %s] END,
                'req-' || md5(n::text), now() - n * interval '2 seconds', gen_random_uuid(), 'desk-' || n %% 160,
                gen_random_uuid(), 'a', 200, '', 100, 50, 150.0, 20.0, 60.0, false
            FROM generate_series(1, %s) n
            """,
            [site.tenant.id, [tenant.id for tenant in site.others], len(site.others), INVOCATIONS],
        )
