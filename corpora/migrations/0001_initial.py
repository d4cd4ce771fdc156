import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import tenants.isolation
from tenants.isolation import IsolateTenant


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("jobs", "0001_initial"),
        ("tenants", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Dataset",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("name", models.CharField(max_length=120)),
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
            ],
            options={
                "ordering": ("-created_at",),
            },
        ),
        migrations.CreateModel(
            name="DatasetVersion",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("number", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[("checking", "Checking"), ("ready", "Ready"), ("rejected", "Rejected")],
                        default="checking",
                        max_length=16,
                    ),
                ),
                (
                    "file_name",
                    models.CharField(help_text="original file name, for display only", max_length=255),
                ),
                ("file_format", models.CharField(blank=True, max_length=20)),
                ("upload_sha256", models.CharField(max_length=64)),
                ("upload_bytes", models.BigIntegerField()),
                ("upload_key", models.CharField(max_length=300)),
                ("rows_key", models.CharField(blank=True, help_text="checked rows, canonical JSONL", max_length=300)),
                ("train_key", models.CharField(blank=True, max_length=300)),
                ("test_key", models.CharField(blank=True, max_length=300)),
                ("rows_sha256", models.CharField(blank=True, max_length=64)),
                ("row_count", models.PositiveIntegerField(default=0)),
                ("train_count", models.PositiveIntegerField(default=0)),
                ("test_count", models.PositiveIntegerField(default=0)),
                ("problems", models.JSONField(default=list, help_text="the first problems: line, field, code, text")),
                ("problem_count", models.PositiveIntegerField(default=0)),
                (
                    "profile",
                    models.JSONField(default=dict, help_text="layout, warnings, lengths, rows per slice and label"),
                ),
                ("preview", models.JSONField(default=list, help_text="the first rows")),
                ("error_code", models.CharField(blank=True, max_length=80)),
                ("error_text", models.TextField(blank=True)),
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
                    "dataset",
                    tenants.isolation.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="corpora.dataset",
                    ),
                ),
                (
                    "job",
                    tenants.isolation.TenantOneToOneField(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="dataset_version",
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
                "ordering": ("-number",),
            },
        ),
        migrations.AddConstraint(
            model_name="dataset",
            constraint=models.UniqueConstraint(fields=("tenant", "name"), name="dataset_name_once"),
        ),
        migrations.AddConstraint(
            model_name="datasetversion",
            constraint=models.UniqueConstraint(
                fields=("tenant", "dataset", "number"), name="dataset_version_number_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="datasetversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "rejected"), _negated=True),
                fields=("tenant", "dataset", "upload_sha256"),
                name="dataset_version_bytes_once",
            ),
        ),
        IsolateTenant("Dataset"),
        IsolateTenant("DatasetVersion"),
    ]
