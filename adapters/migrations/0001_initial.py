import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import tenants.isolation
from tenants.isolation import IsolateTenant


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("corpora", "0001_initial"),
        ("jobs", "0001_initial"),
        ("tenants", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BaseModel",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "name",
                    models.SlugField(
                        help_text="Name of the model, written into every adapter and used as `model`.", unique=True
                    ),
                ),
                ("title", models.CharField(max_length=120)),
                ("description", models.TextField(blank=True)),
                (
                    "location",
                    models.CharField(help_text="folder or URI that the compute backend can read", max_length=500),
                ),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("parameters", models.BigIntegerField(default=0)),
                ("context_length", models.PositiveIntegerField(default=2048)),
                (
                    "is_synthetic",
                    models.BooleanField(default=False, help_text="Whether it is the tiny model of the embedded site."),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ("title",),
            },
        ),
        migrations.CreateModel(
            name="Adapter",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("name", models.SlugField(help_text="Also its alias at the gateway.", max_length=60)),
                ("description", models.TextField(blank=True)),
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
                (
                    "base_model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="adapters.basemodel"
                    ),
                ),
            ],
            options={
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="TrainingRun",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("recipe", models.CharField(max_length=40)),
                ("hyperparameters", models.JSONField(default=dict)),
                (
                    "adapter",
                    tenants.isolation.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="runs",
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
                    "dataset_version",
                    tenants.isolation.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="training_runs",
                        to="corpora.datasetversion",
                    ),
                ),
                (
                    "job",
                    tenants.isolation.TenantOneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="training_run",
                        to="jobs.job",
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
        migrations.CreateModel(
            name="AdapterVersion",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("number", models.PositiveIntegerField()),
                ("package_key", models.CharField(max_length=300)),
                ("package_sha256", models.CharField(max_length=64)),
                ("package_bytes", models.BigIntegerField()),
                ("rank", models.PositiveSmallIntegerField()),
                ("manifest", models.JSONField(default=dict)),
                (
                    "metrics",
                    models.JSONField(default=dict, help_text="Final losses, seconds and steps of the training."),
                ),
                (
                    "adapter",
                    tenants.isolation.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="adapters.adapter",
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
                (
                    "run",
                    tenants.isolation.TenantOneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="version",
                        to="adapters.trainingrun",
                    ),
                ),
            ],
            options={
                "ordering": ("-number",),
            },
        ),
        migrations.AddConstraint(
            model_name="adapter",
            constraint=models.UniqueConstraint(fields=("tenant", "name"), name="adapter_name_once"),
        ),
        migrations.AddConstraint(
            model_name="adapterversion",
            constraint=models.UniqueConstraint(
                fields=("tenant", "adapter", "number"), name="adapter_version_number_once"
            ),
        ),
        IsolateTenant("Adapter"),
        IsolateTenant("TrainingRun"),
        IsolateTenant("AdapterVersion"),
    ]
