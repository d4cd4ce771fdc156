import uuid

import django.db.models.deletion
from django.db import migrations, models

import tenants.isolation
from tenants.isolation import IsolateTenant


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenants", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="LedgerFile",
            fields=[
                ("name", models.CharField(max_length=120, primary_key=True, serialize=False)),
                ("offset", models.BigIntegerField(default=0)),
                (
                    "broken_lines",
                    models.PositiveIntegerField(default=0, help_text="lines that could not be read, and were skipped"),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name="HourlyUsage",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("hour", models.DateTimeField()),
                ("alias", models.CharField(max_length=80)),
                (
                    "version_key",
                    models.CharField(blank=True, help_text="version id, or empty for the base model", max_length=36),
                ),
                ("requests", models.PositiveIntegerField(default=0)),
                ("errors", models.PositiveIntegerField(default=0)),
                ("prompt_tokens", models.BigIntegerField(default=0)),
                ("completion_tokens", models.BigIntegerField(default=0)),
                ("busy_ms", models.FloatField(default=0.0)),
                ("latency_sketch", models.BinaryField()),
                (
                    "tenant",
                    tenants.isolation.OwnerKey(
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
                    models.UniqueConstraint(fields=("tenant", "hour", "alias", "version_key"), name="hourly_usage_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Invocation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("request_id", models.CharField(max_length=40)),
                ("at", models.DateTimeField()),
                ("key_id", models.UUIDField(null=True)),
                ("alias", models.CharField(max_length=80)),
                ("version_id", models.UUIDField(help_text="null: the base model", null=True)),
                ("deployment", models.CharField(blank=True, max_length=63)),
                ("status", models.PositiveSmallIntegerField()),
                ("error_code", models.CharField(blank=True, max_length=80)),
                ("prompt_tokens", models.PositiveIntegerField(default=0)),
                ("completion_tokens", models.PositiveIntegerField(default=0)),
                ("latency_ms", models.FloatField()),
                ("first_token_ms", models.FloatField(null=True)),
                ("busy_ms", models.FloatField(default=0.0, help_text="the endpoint's own time for this request")),
                ("streamed", models.BooleanField(default=False)),
                (
                    "tenant",
                    tenants.isolation.OwnerKey(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ("-at",),
                "indexes": [models.Index(fields=["tenant", "-at"], name="invocation_newest")],
                "constraints": [models.UniqueConstraint(fields=("tenant", "request_id"), name="invocation_once")],
            },
        ),
        IsolateTenant("Invocation"),
        IsolateTenant("HourlyUsage"),
    ]
