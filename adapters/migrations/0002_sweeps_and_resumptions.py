import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import tenants.isolation
from tenants.isolation import IsolateKey, IsolateTenant


class Migration(migrations.Migration):
    dependencies = [
        ("adapters", "0001_initial"),
        ("tenants", "0002_storage_limit"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Sweep",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "grid",
                    models.JSONField(default=dict, help_text="name of a hyperparameter -> the values tried"),
                ),
                (
                    "adapter",
                    tenants.isolation.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sweeps",
                        to="adapters.adapter",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
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
                "ordering": ("-created_at",),
            },
        ),
        IsolateTenant("Sweep"),
        migrations.AddField(
            model_name="trainingrun",
            name="sweep",
            field=tenants.isolation.TenantForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="runs",
                to="adapters.sweep",
            ),
        ),
        IsolateKey("TrainingRun", "sweep"),
        migrations.AddField(
            model_name="trainingrun",
            name="resumed_from",
            field=tenants.isolation.TenantForeignKey(
                blank=True,
                db_constraint=False,
                help_text="The run whose checkpoint it resumes.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="resumptions",
                to="adapters.trainingrun",
            ),
        ),
        IsolateKey("TrainingRun", "resumed_from"),
    ]
