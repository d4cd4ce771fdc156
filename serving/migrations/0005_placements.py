import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import tenants.isolation
from tenants.isolation import IsolateTenant

STATES = [
    ("creating", "Creating"),
    ("in_service", "In service"),
    ("changing", "Changing"),
    ("deleting", "Deleting"),
    ("deleted", "Deleted"),
    ("failed", "Failed"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("adapters", "0004_evaluate_after_training"),
        ("serving", "0004_trials"),
        ("tenants", "0007_keys_end_with_account"),
    ]

    operations = [
        migrations.AddField(
            "endpoint",
            "options",
            models.JSONField(blank=True, default=dict, help_text="What differs from the OPTIONS of its alias."),
        ),
        migrations.AddField(
            "endpoint",
            "is_default",
            models.BooleanField(default=False, help_text="Whether tenants come here who have no other place."),
        ),
        migrations.AddField("endpoint", "state", models.CharField(choices=STATES, default="in_service", max_length=16)),
        migrations.AddField("endpoint", "state_since", models.DateTimeField(default=django.utils.timezone.now)),
        migrations.AddField(
            "endpoint",
            "doing",
            models.CharField(blank=True, help_text="What is being done to it, in words.", max_length=200),
        ),
        migrations.AddField("endpoint", "error_text", models.TextField(blank=True)),
        migrations.AddConstraint(
            "endpoint",
            models.UniqueConstraint(
                condition=models.Q(("is_default", True)), fields=("base_model",), name="endpoint_default_once"
            ),
        ),
        migrations.CreateModel(
            name="Placement",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "base_model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="adapters.basemodel"
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="placements", to="serving.endpoint"
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
            options={
                "ordering": ("created_at",),
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "base_model"), name="placement_once_for_each_base")
                ],
            },
        ),
        IsolateTenant("Placement"),
    ]
