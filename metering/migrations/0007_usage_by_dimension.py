"""Roll-ups by version, endpoint and key."""

import django.db.models.deletion
from django.db import migrations, models

import tenants.isolation
from tenants.isolation import IsolateTenant


class Migration(migrations.Migration):
    dependencies = [
        ("metering", "0006_invocations_by_month"),
    ]

    operations = [
        migrations.CreateModel(
            name="HourlyUsage",
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
                ("requests", models.BigIntegerField(default=0)),
                ("refused", models.BigIntegerField(default=0)),
                ("limited", models.BigIntegerField(default=0)),
                ("failed", models.BigIntegerField(default=0)),
                ("disconnected", models.BigIntegerField(default=0)),
                ("prompt_tokens", models.BigIntegerField(default=0)),
                ("cached_tokens", models.BigIntegerField(default=0)),
                ("completion_tokens", models.BigIntegerField(default=0)),
                ("cold_starts", models.BigIntegerField(default=0)),
                ("busy_us", models.BigIntegerField(default=0)),
                ("queue_us", models.BigIntegerField(default=0)),
                ("timed", models.BigIntegerField(default=0)),
                ("unpriced", models.BigIntegerField(default=0)),
                ("used_micros", models.BigIntegerField(default=0)),
                ("idle_micros", models.BigIntegerField(default=0)),
                ("latency_sketch", models.BinaryField(default=b"")),
                ("first_token_sketch", models.BinaryField(default=b"")),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "hour",
                        "alias",
                        "version_key",
                        "endpoint",
                        "key",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("alias", models.CharField(blank=True, help_text="empty: a model that does not exist", max_length=80)),
                (
                    "version_key",
                    models.CharField(blank=True, help_text="version id, or empty for the base model", max_length=36),
                ),
                ("endpoint", models.CharField(blank=True, max_length=50)),
                (
                    "key",
                    models.CharField(
                        blank=True, help_text="id of the API key, or empty for the portal itself", max_length=36
                    ),
                ),
            ],
            options={
                "ordering": ("-hour",),
                "indexes": [
                    models.Index(fields=["tenant", "alias", "hour"], name="hourly_usage_of_model"),
                    models.Index(
                        condition=models.Q(("unpriced__gt", 0)),
                        fields=["endpoint", "hour"],
                        name="hourly_usage_unpriced",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="UsageTotal",
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
                ("requests", models.BigIntegerField(default=0)),
                ("refused", models.BigIntegerField(default=0)),
                ("limited", models.BigIntegerField(default=0)),
                ("failed", models.BigIntegerField(default=0)),
                ("disconnected", models.BigIntegerField(default=0)),
                ("prompt_tokens", models.BigIntegerField(default=0)),
                ("cached_tokens", models.BigIntegerField(default=0)),
                ("completion_tokens", models.BigIntegerField(default=0)),
                ("cold_starts", models.BigIntegerField(default=0)),
                ("busy_us", models.BigIntegerField(default=0)),
                ("queue_us", models.BigIntegerField(default=0)),
                ("timed", models.BigIntegerField(default=0)),
                ("unpriced", models.BigIntegerField(default=0)),
                ("used_micros", models.BigIntegerField(default=0)),
                ("idle_micros", models.BigIntegerField(default=0)),
                ("latency_sketch", models.BinaryField(default=b"")),
                ("first_token_sketch", models.BinaryField(default=b"")),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "by",
                        "grain",
                        "start",
                        "value",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "by",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "All together"),
                            ("model", "Model"),
                            ("version", "Version"),
                            ("endpoint", "Endpoint"),
                            ("key", "API key"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "grain",
                    models.CharField(choices=[("hour", "Hour"), ("day", "Day"), ("month", "Month")], max_length=5),
                ),
                ("start", models.DateTimeField()),
                ("value", models.CharField(blank=True, db_collation="C", max_length=120)),
            ],
            options={
                "ordering": ("-start",),
                "indexes": [
                    models.Index(fields=["tenant", "by", "value", "grain", "start"], name="usage_total_of_value")
                ],
            },
        ),
        IsolateTenant("HourlyUsage"),
        IsolateTenant("UsageTotal"),
    ]
