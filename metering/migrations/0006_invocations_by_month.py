"""Invocations in a partition for each month, with the columns that usage is broken down by.

The roll-ups go, and are made anew from the invocations, also on the way back. No invocation has ever been deleted, so
nothing is lost.
"""

import django.db.models.deletion
from django.db import migrations, models

import tenants.isolation
from tenants.isolation import IsolateTenant, ReleaseTenant
from tenants.scope import system_scope

COLLECTOR_LOCK = 7_203_115
COPIED = (
    "tenant_id, at, request_id, key_id, alias, version_id, deployment, status, error_code, prompt_tokens,"
    " completion_tokens, latency_ms, first_token_ms, busy_ms, streamed"
)
FUNCTIONS = """
CREATE FUNCTION metering_add_month(day date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
    first date := date_trunc('month', day);
    partition text := 'metering_invocation_' || to_char(first, 'YYYY_MM');
BEGIN
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format(
        'CREATE TABLE %I PARTITION OF metering_invocation FOR VALUES FROM (%L) TO (%L)',
        partition, first::text || ' 00:00:00+00', (first + interval '1 month')::date::text || ' 00:00:00+00'
    );
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', partition);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', partition);
    EXECUTE format(
        'CREATE POLICY tenant_isolation ON %I USING ('
        'tenant_id = (SELECT NULLIF(current_setting(''portal.tenant'', true), '''')::uuid)'
        ' OR (SELECT current_setting(''portal.system'', true)) = ''on'')', partition
    );
END $$;
CREATE FUNCTION metering_drop_month(day date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    EXECUTE format('DROP TABLE IF EXISTS %I', 'metering_invocation_' || to_char(day, 'YYYY_MM'));
END $$;
"""
ENDPOINT = """
coalesce(
    CASE WHEN alias <> '' THEN coalesce(
        (SELECT e.name FROM serving_deployment d JOIN serving_endpoint e ON e.id = d.endpoint_id
            WHERE d.tenant_id = metering_invocation_whole.tenant_id AND d.name = deployment LIMIT 1),
        (SELECT name FROM serving_endpoint WHERE is_default ORDER BY created_at LIMIT 1)
    ) END,
''
)
"""
"""Where a request's deployment was; a base model's requests are taken to have gone to the default endpoint."""
TABLE = """
CREATE TABLE metering_invocation (
    tenant_id uuid NOT NULL REFERENCES tenants_tenant (id) DEFERRABLE INITIALLY DEFERRED,
    at timestamptz NOT NULL,
    request_id varchar(40) NOT NULL,
    key_id uuid,
    alias varchar(80) NOT NULL,
    version_id uuid,
    endpoint varchar(50) NOT NULL,
    deployment varchar(63) NOT NULL,
    status smallint NOT NULL CHECK (status >= 0),
    error_code varchar(80) NOT NULL,
    prompt_tokens integer NOT NULL CHECK (prompt_tokens >= 0),
    cached_tokens integer NOT NULL CHECK (cached_tokens >= 0),
    completion_tokens integer NOT NULL CHECK (completion_tokens >= 0),
    latency_ms double precision NOT NULL,
    first_token_ms double precision,
    queue_ms double precision,
    busy_ms double precision NOT NULL,
    cold_start boolean NOT NULL,
    streamed boolean NOT NULL,
    PRIMARY KEY (tenant_id, at, request_id)
) PARTITION BY RANGE (at);
"""
OLD_TABLE = """
CREATE TABLE metering_invocation (
    id uuid NOT NULL PRIMARY KEY,
    created_at timestamptz NOT NULL,
    request_id varchar(40) NOT NULL,
    at timestamptz NOT NULL,
    key_id uuid,
    alias varchar(80) NOT NULL,
    version_id uuid,
    deployment varchar(63) NOT NULL,
    status smallint NOT NULL CHECK (status >= 0),
    error_code varchar(80) NOT NULL,
    prompt_tokens integer NOT NULL CHECK (prompt_tokens >= 0),
    completion_tokens integer NOT NULL CHECK (completion_tokens >= 0),
    latency_ms double precision NOT NULL,
    first_token_ms double precision,
    busy_ms double precision NOT NULL,
    streamed boolean NOT NULL,
    tenant_id uuid NOT NULL REFERENCES tenants_tenant (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT invocation_once UNIQUE (tenant_id, request_id)
);
CREATE INDEX invocation_newest ON metering_invocation (tenant_id, at DESC);
"""
OLD_ISOLATION = """
ALTER TABLE metering_invocation ENABLE ROW LEVEL SECURITY;
ALTER TABLE metering_invocation FORCE ROW LEVEL SECURITY;
ALTER TABLE metering_invocation ADD CONSTRAINT metering_invocation_tenant_uniq UNIQUE (tenant_id, id);
CREATE POLICY tenant_isolation ON metering_invocation USING (
    tenant_id = (SELECT NULLIF(current_setting('portal.tenant', true), '')::uuid)
    OR (SELECT current_setting('portal.system', true)) = 'on'
);
"""


def partition(apps, schema_editor):
    with system_scope(), schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COLLECTOR_LOCK])
        cursor.execute("ALTER TABLE metering_invocation RENAME TO metering_invocation_whole")
        cursor.execute("ALTER INDEX metering_invocation_pkey RENAME TO metering_invocation_whole_pkey")
        cursor.execute(TABLE)
        cursor.execute(FUNCTIONS)
        cursor.execute(
            "SELECT metering_add_month(month) FROM"
            " (SELECT DISTINCT date_trunc('month', at AT TIME ZONE 'UTC')::date AS month FROM metering_invocation_whole) m"
        )
        cursor.execute(
            f"INSERT INTO metering_invocation ({COPIED}, endpoint, cached_tokens, cold_start)"  # noqa: S608
            f" SELECT {COPIED}, {ENDPOINT}, 0, false FROM metering_invocation_whole"
        )
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("DROP TABLE metering_invocation_whole")


def join(apps, schema_editor):
    with system_scope(), schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COLLECTOR_LOCK])
        cursor.execute("ALTER TABLE metering_invocation RENAME TO metering_invocation_months")
        cursor.execute("ALTER INDEX metering_invocation_pkey RENAME TO metering_invocation_months_pkey")
        cursor.execute(OLD_TABLE)
        cursor.execute(OLD_ISOLATION)
        cursor.execute(
            f"INSERT INTO metering_invocation (id, created_at, {COPIED})"  # noqa: S608
            f" SELECT gen_random_uuid(), now(), {COPIED} FROM metering_invocation_months"
        )
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("DROP TABLE metering_invocation_months")
        cursor.execute("DROP FUNCTION metering_add_month")
        cursor.execute("DROP FUNCTION metering_drop_month")


class Migration(migrations.Migration):
    dependencies = [
        ("metering", "0005_roll_ups_back"),
        ("serving", "0008_capacity"),
        ("tenants", "0004_object_removal_moves"),
    ]

    operations = [
        ReleaseTenant("HourlyTotal"),
        migrations.DeleteModel("HourlyTotal"),
        ReleaseTenant("DailyUsage"),
        migrations.DeleteModel("DailyUsage"),
        ReleaseTenant("HourlyUsage"),
        migrations.DeleteModel("HourlyUsage"),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(partition, join)],
            state_operations=[
                migrations.DeleteModel("Invocation"),
                migrations.CreateModel(
                    name="Invocation",
                    fields=[
                        (
                            "tenant",
                            tenants.isolation.OwnerKey(
                                editable=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="tenants.tenant",
                            ),
                        ),
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "tenant_id",
                                "at",
                                "request_id",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("at", models.DateTimeField()),
                        ("request_id", models.CharField(max_length=40)),
                        ("key_id", models.UUIDField(null=True)),
                        ("alias", models.CharField(max_length=80)),
                        ("version_id", models.UUIDField(help_text="null: the base model", null=True)),
                        ("endpoint", models.CharField(blank=True, max_length=50)),
                        ("deployment", models.CharField(blank=True, max_length=63)),
                        ("status", models.PositiveSmallIntegerField()),
                        ("error_code", models.CharField(blank=True, max_length=80)),
                        ("prompt_tokens", models.PositiveIntegerField(default=0)),
                        (
                            "cached_tokens",
                            models.PositiveIntegerField(default=0, help_text="of the prompt's, not read again"),
                        ),
                        ("completion_tokens", models.PositiveIntegerField(default=0)),
                        ("latency_ms", models.FloatField()),
                        ("first_token_ms", models.FloatField(null=True)),
                        ("queue_ms", models.FloatField(help_text="null: the endpoint did not tell", null=True)),
                        (
                            "busy_ms",
                            models.FloatField(default=0.0, help_text="the endpoint's own time for this request"),
                        ),
                        (
                            "cold_start",
                            models.BooleanField(default=False, help_text="whether the adapter had to be loaded first"),
                        ),
                        ("streamed", models.BooleanField(default=False)),
                    ],
                    options={"ordering": ("-at",)},
                ),
            ],
        ),
        IsolateTenant("Invocation"),
    ]
