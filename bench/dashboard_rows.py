"""The site that bench/dashboard.py measures: a tenant with many requests, and two hundred others."""

import time
from dataclasses import dataclass

import psycopg
from django.db import connection
from django.utils import timezone

from metering.ledger.months import add_months, month_of, next_month, present_months
from metering.ledger.rebuilding import rebuild_month
from tenants.models import Tenant, User
from tenants.people.services import create_tenant
from tenants.scope import system_scope

ALIASES, MONTHS, KEYS = 1_000, 13, 3
OTHERS = 200


@dataclass(frozen=True, kw_only=True)
class Site:
    """The large tenant and its owner, an empty tenant's owner, the others, and how fast roll-ups were made."""

    tenant: Tenant
    owner: User
    stranger: User
    others: list[Tenant]
    rebuilt_per_second: float


def seed(requests: int, owner_url: str) -> Site:
    """Invocations by one statement, roll-ups by the product's own rebuild, month by month."""
    owner, stranger = (User.objects.create_user(f"{name}@example.com", "unused-in-here") for name in ("ada", "eve"))
    tenant = create_tenant(name="Large", slug="large", owner=owner)
    create_tenant(name="Empty", slug="empty", owner=stranger)
    with system_scope():
        others = Tenant.objects.bulk_create(Tenant(slug=f"t-{number}", name=f"T {number}") for number in range(OTHERS))
    this = month_of(timezone.now())
    months = [this.replace(year=this.year - 1)]
    while months[-1] < this:
        months.append(next_month(months[-1]))
    with system_scope():
        add_months(months)
        _insert(tenant, requests)
        print(f"{requests} invocations are there", flush=True)
        began, count = time.perf_counter(), 0
        for month in present_months():
            count += rebuild_month(month)
        rate = count / (time.perf_counter() - began)
    print(f"roll-ups are there: {rate:.0f} invocations a second", flush=True)
    with psycopg.connect(owner_url, autocommit=True) as owner_connection:
        owner_connection.execute("VACUUM ANALYZE")
    return Site(tenant=tenant, owner=owner, stranger=stranger, others=others, rebuilt_per_second=rate)


def _insert(tenant: Tenant, requests: int) -> None:
    """Spread over the months; a few models get most of it, latencies are log-normal."""
    seconds = (timezone.now() - timezone.now().replace(year=timezone.now().year - 1, day=2)).total_seconds()
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.5)")
        cursor.execute(
            """
            INSERT INTO metering_invocation
                (tenant_id, at, request_id, key_id, alias, version_id, endpoint, deployment, status, error_code,
                 prompt_tokens, cached_tokens, completion_tokens, latency_ms, first_token_ms, queue_ms, busy_ms,
                 cold_start, streamed)
            SELECT %s, now() - n * %s * interval '1 second', 'req-' || n,
                ('00000000-0000-4000-8000-00000000000' || n %% %s)::uuid,
                'desk-' || model, md5(model::text)::uuid, 'shared', 'ad-' || model,
                CASE WHEN n %% 200 = 0 THEN 503 WHEN n %% 333 = 0 THEN 429 ELSE 200 END, '', 100, 0, 50,
                exp(5 + 0.5 * sqrt(-2 * ln(random() + 1e-12)) * cos(6.283185 * random())), 40 + 20 * random(),
                5 * random(), 60, false, true
            FROM (SELECT n, floor(%s * power(random(), 3))::int AS model FROM generate_series(1, %s) n) s
            """,
            [tenant.id, seconds / requests, KEYS, ALIASES, requests],
        )
