"""Nothing on the way there; on the way back, the roll-ups as they were, made from the invocations.

By itself, for the tables have their foreign keys only when the migration that creates them has ended.
"""

from django.db import migrations

from tenants.scope import system_scope

HOUR = "date_trunc('hour', at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'"
LINE = {"alias": "alias", "version_key": "coalesce(version_id::text, '')"}
ROLL_UPS = {
    "hourlyusage": {"hour": HOUR, **LINE},
    "dailyusage": {"day": "(at AT TIME ZONE 'UTC')::date", **LINE},
    "hourlytotal": {"hour": HOUR},
}
BIN = "CASE WHEN latency_ms < 1e-6 THEN -692 ELSE ceil(ln(least(latency_ms, 1e12)) / ln(1.01 / 0.99))::int END"
"""The bin of a latency; see `metering.ledger.sketches`."""
BYTES = " || ".join(
    f"substr({number}, {place}, 1)"
    for number, places in (("int2send(bin::int2)", (2, 1)), ("int4send(requests::int4)", (4, 3, 2, 1)))
    for place in places
)
"""A bin as it is stored: its key and its count, the lowest byte first."""


def refill(apps, schema_editor):
    """The roll-ups as they were, on the way back."""
    with system_scope(), schema_editor.connection.cursor() as cursor:
        for table, expressions in ROLL_UPS.items():
            names = ", ".join(expressions)
            groups = ", ".join(f"{expression} AS {name}" for name, expression in expressions.items())
            cursor.execute(f"""
                WITH binned AS (
                    SELECT tenant_id, {groups}, CASE WHEN status < 400 THEN {BIN} END AS bin, count(*) AS requests,
                        count(*) FILTER (WHERE status >= 400) AS errors, sum(prompt_tokens) AS prompt_tokens,
                        sum(completion_tokens) AS completion_tokens, sum(busy_ms) AS busy_ms
                    FROM metering_invocation GROUP BY tenant_id, {", ".join(expressions.values())}, bin
                )
                INSERT INTO metering_{table} (id, created_at, tenant_id, {names}, requests, errors, prompt_tokens,
                    completion_tokens, busy_ms, latency_sketch)
                SELECT gen_random_uuid(), now(), tenant_id, {names}, sum(requests), sum(errors), sum(prompt_tokens),
                    sum(completion_tokens), sum(busy_ms), coalesce(string_agg(
                        {BYTES}, '' ORDER BY bin
                    ) FILTER (WHERE bin IS NOT NULL), '')
                FROM binned GROUP BY tenant_id, {names}
            """)  # noqa: S608


class Migration(migrations.Migration):
    dependencies = [
        ("metering", "0004_drop_prefix_indexes"),
    ]

    operations = [
        migrations.RunPython(migrations.RunPython.noop, refill),
    ]
