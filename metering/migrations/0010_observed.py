import uuid

import django.db.models.deletion
from django.db import migrations, models

import tenants.isolation
from tenants.isolation import IsolateTenant


class Migration(migrations.Migration):
    dependencies = [
        ("metering", "0009_endpoint_hours"),
        ("serving", "0008_capacity"),
        ("tenants", "0007_keys_end_with_account"),
    ]

    operations = [
        migrations.CreateModel(
            name="ObservedSource",
            fields=[
                ("alias", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("holder", models.UUIDField(null=True)),
                ("held_until", models.DateTimeField(null=True)),
                ("read_at", models.DateTimeField(help_text="When everything that was due had been read.", null=True)),
                ("error_code", models.CharField(blank=True, max_length=80)),
                ("error_text", models.TextField(blank=True)),
            ],
        ),
        migrations.CreateModel(
            name="ObservedProgress",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("source", models.CharField(help_text="alias of the source", max_length=40)),
                ("name", models.CharField(max_length=63)),
                ("is_endpoint", models.BooleanField(default=False)),
                ("read_to", models.DateTimeField(help_text="Every hour before has been read at least once.")),
                ("settled_to", models.DateTimeField(help_text="Every hour before was read when it no longer changed.")),
                ("revisited_at", models.DateTimeField(help_text="When the last days were read again.", null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("source", "name", "is_endpoint"), name="observed_progress_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="ObservedEndpoint",
            fields=[
                ("hour", models.DateTimeField()),
                ("read_at", models.DateTimeField()),
                ("requests", models.PositiveBigIntegerField(null=True)),
                ("errors_4xx", models.PositiveBigIntegerField(null=True)),
                ("errors_5xx", models.PositiveBigIntegerField(null=True)),
                ("model_errors", models.PositiveBigIntegerField(null=True)),
                ("p50_ms", models.FloatField(null=True)),
                ("p95_ms", models.FloatField(null=True)),
                ("p99_ms", models.FloatField(null=True)),
                ("mean_ms", models.FloatField(null=True)),
                (
                    "overhead_ms",
                    models.FloatField(help_text="The cloud's own mean time on top of the model's.", null=True),
                ),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("first_chunk_p50_ms", models.FloatField(null=True)),
                ("first_chunk_p95_ms", models.FloatField(null=True)),
                ("stream_errors", models.PositiveBigIntegerField(null=True)),
                ("no_capacity", models.PositiveBigIntegerField(null=True)),
                ("concurrency", models.FloatField(help_text="Most requests at a time on a copy.", null=True)),
                ("cpu_percent", models.FloatField(null=True)),
                ("memory_percent", models.FloatField(null=True)),
                ("gpu_percent", models.FloatField(null=True)),
                ("gpu_memory_percent", models.FloatField(null=True)),
                ("disk_percent", models.FloatField(null=True)),
                ("first_token_p50_ms", models.FloatField(null=True)),
                ("first_token_p95_ms", models.FloatField(null=True)),
                ("token_gap_p50_ms", models.FloatField(null=True)),
                ("token_gap_p95_ms", models.FloatField(null=True)),
                ("cache_percent", models.FloatField(null=True)),
                ("waiting", models.FloatField(help_text="Most requests that waited at a time.", null=True)),
                ("prompt_tokens", models.PositiveBigIntegerField(null=True)),
                ("completion_tokens", models.PositiveBigIntegerField(null=True)),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="serving.endpoint",
                    ),
                ),
            ],
            options={
                "ordering": ("-hour",),
                "constraints": [models.UniqueConstraint(fields=("endpoint", "hour"), name="observed_endpoint_once")],
            },
        ),
        migrations.CreateModel(
            name="ObservedUsage",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("hour", models.DateTimeField()),
                ("read_at", models.DateTimeField()),
                ("requests", models.PositiveBigIntegerField(null=True)),
                ("errors_4xx", models.PositiveBigIntegerField(null=True)),
                ("errors_5xx", models.PositiveBigIntegerField(null=True)),
                ("model_errors", models.PositiveBigIntegerField(null=True)),
                ("p50_ms", models.FloatField(null=True)),
                ("p95_ms", models.FloatField(null=True)),
                ("p99_ms", models.FloatField(null=True)),
                ("mean_ms", models.FloatField(null=True)),
                (
                    "overhead_ms",
                    models.FloatField(help_text="The cloud's own mean time on top of the model's.", null=True),
                ),
                (
                    "component",
                    models.CharField(help_text="Name in the cloud: of a deployment on one endpoint.", max_length=63),
                ),
                (
                    "deployment",
                    models.CharField(help_text="Name of the deployment, which its usage outlives.", max_length=63),
                ),
                (
                    "tenant",
                    tenants.isolation.OwnerKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ("-hour",),
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "hour", "component"), name="observed_usage_once")
                ],
            },
        ),
        IsolateTenant("ObservedUsage"),
    ]
