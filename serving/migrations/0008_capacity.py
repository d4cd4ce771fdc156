import uuid

import django.db.models.deletion
from django.db import migrations, models

import tenants.isolation
from tenants.isolation import IsolateTenant

RECOMMENDATION_STATES = [
    ("starting", "Starting"),
    ("running", "Running"),
    ("completed", "Completed"),
    ("failed", "Failed"),
    ("stopped", "Stopped"),
]


class Migration(migrations.Migration):
    dependencies = [("serving", "0007_routers"), ("tenants", "0007_keys_end_with_account")]

    operations = [
        migrations.AddField(
            "deployment",
            "is_pinned",
            # The database has the default too, for processes that still run the code before.
            models.BooleanField(
                default=False, db_default=False, help_text="Whether it keeps its slot, however rarely it is asked."
            ),
        ),
        migrations.CreateModel(
            name="CapacityPrediction",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "predicted",
                    models.JSONField(help_text="p95_ms, waits_a_day, memory_bytes; null for what could not be said."),
                ),
                ("measured", models.JSONField(default=dict, help_text="The same, a day later.")),
                (
                    "loads_before",
                    models.BigIntegerField(help_text="How often adapters had been put into slots by then.", null=True),
                ),
                ("due_at", models.DateTimeField()),
                ("measured_at", models.DateTimeField(null=True)),
                (
                    "deployment",
                    tenants.isolation.TenantOneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="prediction",
                        to="serving.deployment",
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="serving.endpoint"
                    ),
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
            options={"ordering": ("-created_at",)},
        ),
        IsolateTenant("CapacityPrediction"),
        migrations.CreateModel(
            name="CapacityRecommendation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(help_text="In the cloud.", max_length=63, unique=True)),
                ("state", models.CharField(choices=RECOMMENDATION_STATES, default="starting", max_length=16)),
                (
                    "asked",
                    models.JSONField(help_text="Goal, adapters, tokens of a request, requests at a time, machines."),
                ),
                ("answer", models.JSONField(default=list, help_text="The ways to serve it, the best first.")),
                ("error_text", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "endpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recommendations",
                        to="serving.endpoint",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("endpoint",),
                        name="recommendation_running_once",
                    )
                ],
            },
        ),
    ]
