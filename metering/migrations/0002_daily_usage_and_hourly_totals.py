import uuid

import django.db.models.deletion
from django.db import migrations, models

import tenants.isolation
from tenants.isolation import IsolateTenant


class Migration(migrations.Migration):
    dependencies = [
        ("metering", "0001_initial"),
        ("tenants", "0004_object_removal_moves"),
    ]

    operations = [
        migrations.AlterField(
            model_name="hourlyusage",
            name="latency_sketch",
            field=models.BinaryField(default=b""),
        ),
        migrations.CreateModel(
            name="DailyUsage",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("requests", models.PositiveIntegerField(default=0)),
                ("errors", models.PositiveIntegerField(default=0)),
                ("prompt_tokens", models.BigIntegerField(default=0)),
                ("completion_tokens", models.BigIntegerField(default=0)),
                ("busy_ms", models.FloatField(default=0.0)),
                ("latency_sketch", models.BinaryField(default=b"")),
                ("day", models.DateField()),
                ("alias", models.CharField(max_length=80)),
                (
                    "version_key",
                    models.CharField(blank=True, help_text="version id, or empty for the base model", max_length=36),
                ),
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
                "ordering": ("-day",),
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "day", "alias", "version_key"), name="daily_usage_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="HourlyTotal",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("requests", models.PositiveIntegerField(default=0)),
                ("errors", models.PositiveIntegerField(default=0)),
                ("prompt_tokens", models.BigIntegerField(default=0)),
                ("completion_tokens", models.BigIntegerField(default=0)),
                ("busy_ms", models.FloatField(default=0.0)),
                ("latency_sketch", models.BinaryField(default=b"")),
                ("hour", models.DateTimeField()),
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
                "constraints": [models.UniqueConstraint(fields=("tenant", "hour"), name="hourly_total_once")],
            },
        ),
        IsolateTenant("DailyUsage"),
        IsolateTenant("HourlyTotal"),
    ]
