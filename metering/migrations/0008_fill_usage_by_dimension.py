"""The roll-ups by version, endpoint and key, made from the invocations."""

from django.db import migrations

from tenants.scope import system_scope

COLLECTOR_LOCK = 7_203_115
SUMS = {
    "requests": "count(*)",
    "refused": "count(*) FILTER (WHERE status BETWEEN 400 AND 499 AND status NOT IN (429, 499))",
    "limited": "count(*) FILTER (WHERE status = 429)",
    "failed": "count(*) FILTER (WHERE status >= 500)",
    "disconnected": "count(*) FILTER (WHERE status = 499)",
    "prompt_tokens": "sum(prompt_tokens)",
    "cached_tokens": "sum(cached_tokens)",
    "completion_tokens": "sum(completion_tokens)",
    "cold_starts": "count(*) FILTER (WHERE cold_start)",
    "busy_us": "sum(round((busy_ms * 1000)::numeric))",
    "queue_us": "coalesce(sum(round((queue_ms * 1000)::numeric)), 0)",
    "timed": "count(queue_ms)",
    "unpriced": "count(*) FILTER (WHERE asked <> '')",
    "used_micros": "0",
    "idle_micros": "0",
}
VERSION = "coalesce(version_id::text, '')"
KEY = "coalesce(key_id::text, '')"
HOUR = "date_trunc('hour', at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'"
GRAINS = {grain: HOUR.replace("hour", grain) for grain in ("hour", "day", "month")}
VALUES = {
    "": "''",
    "version": "alias || coalesce('/' || version_id::text, '')",
    "endpoint": "endpoint",
    "key": KEY,
}
FACTS = {"hour": HOUR, "alias": "alias", "version_key": VERSION, "endpoint": "endpoint", "key": KEY}
BYTES = " || ".join(
    f"substr({number}, {place}, 1)"
    for number, places in (("int2send(bin::int2)", (2, 1)), ("int4send(values::int4)", (4, 3, 2, 1)))
    for place in places
)
"""A bin as it is stored, see `metering.ledger.sketches`: its key and its count, the lowest byte first."""


def fill(apps, schema_editor):
    with system_scope(), schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COLLECTOR_LOCK])
        cursor.execute(statement("metering_hourlyusage", FACTS))
        for by, value in VALUES.items():
            for grain, start in GRAINS.items():
                if (by, grain) == ("version", "hour"):
                    continue
                key = {"by": f"'{by}'::varchar(8)", "grain": f"'{grain}'::varchar(5)", "start": start, "value": value}
                cursor.execute(statement("metering_usagetotal", key))


def statement(table, key):
    names = ", ".join(f'"{name}"' for name in ("tenant_id", *key))
    found = f"""
        SELECT tenant_id, {", ".join(f'{expression} AS "{name}"' for name, expression in key.items())},
            status, prompt_tokens, cached_tokens, completion_tokens, cold_start, busy_ms, queue_ms, latency_ms,
            first_token_ms, endpoint AS asked
        FROM metering_invocation
    """  # noqa: S608
    sums = ", ".join(f'{expression} AS "{name}"' for name, expression in SUMS.items())
    return f"""
        WITH found AS MATERIALIZED ({found}),
        sums AS (SELECT {names}, {sums} FROM found GROUP BY {names}),
        latencies AS ({sketch("latency_ms", names)}),
        firsts AS ({sketch("first_token_ms", names)})
        INSERT INTO {table} ({names}, {", ".join(f'"{name}"' for name in SUMS)}, latency_sketch, first_token_sketch)
        SELECT {names}, {", ".join(f'"{name}"' for name in SUMS)},
            coalesce(latencies.sketch, ''), coalesce(firsts.sketch, '')
        FROM sums LEFT JOIN latencies USING ({names}) LEFT JOIN firsts USING ({names})
    """  # noqa: S608


def sketch(column, names):
    return f"""
        SELECT {names}, string_agg({BYTES}, '' ORDER BY bin) AS sketch FROM (
            SELECT {names}, count(*) AS values, CASE WHEN {column} < 1e-6 THEN -692
                ELSE ceil(ln(least({column}, 1e12)) / ln(1.01::float8 / 0.99))::int END AS bin
            FROM found WHERE status < 400 AND {column} IS NOT NULL GROUP BY {names}, bin
        ) binned GROUP BY {names}
    """  # noqa: S608


class Migration(migrations.Migration):
    dependencies = [
        ("metering", "0007_usage_by_dimension"),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
