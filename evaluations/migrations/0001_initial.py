import uuid

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import tenants.isolation
from tenants.isolation import IsolateTenant


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("adapters", "0001_initial"),
        ("corpora", "0001_initial"),
        ("jobs", "0001_initial"),
        ("tenants", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="EvaluationRun",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("ready", "Ready"),
                            ("failed", "Failed"),
                            ("stopped", "Stopped"),
                        ],
                        default="running",
                        max_length=16,
                    ),
                ),
                ("judge", models.CharField(help_text="Name of the judge.", max_length=40)),
                (
                    "summary",
                    models.JSONField(
                        default=dict,
                        help_text="{slice: {rows, base|adapter: {metric: mean}, difference: {...}}}; slice `all` is the total",
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
                        related_name="evaluations",
                        to="corpora.datasetversion",
                    ),
                ),
                (
                    "job",
                    tenants.isolation.TenantOneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="evaluation_run",
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
                (
                    "version",
                    tenants.isolation.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="evaluations",
                        to="adapters.adapterversion",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
            },
        ),
        migrations.CreateModel(
            name="EvaluationItem",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("position", models.PositiveIntegerField()),
                ("slice", models.CharField(default="all", max_length=60)),
                ("messages", models.JSONField(help_text="the prompt, as chat messages")),
                ("reference", models.TextField()),
                ("answer_base", models.TextField()),
                ("answer_adapter", models.TextField()),
                ("scores", models.JSONField(default=dict, help_text="{base|adapter: {metric: 0..1 or null}}")),
                ("judgement", models.JSONField(default=dict, help_text="{base|adapter: {score: 1..5, reason}}")),
                ("uncertainty", models.FloatField(default=0.0, help_text="0..1; experts see the highest first")),
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
                    tenants.isolation.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="evaluations.evaluationrun",
                    ),
                ),
            ],
            options={
                "ordering": ("position",),
            },
        ),
        migrations.CreateModel(
            name="Review",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "grade",
                    models.PositiveSmallIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(5),
                        ]
                    ),
                ),
                ("comment", models.TextField(blank=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "item",
                    tenants.isolation.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reviews",
                        to="evaluations.evaluationitem",
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
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
        ),
        migrations.AddConstraint(
            model_name="evaluationrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "running")), fields=("tenant", "version"), name="evaluation_running_once"
            ),
        ),
        migrations.AddIndex(
            model_name="evaluationitem",
            index=models.Index(fields=["run", "-uncertainty", "position"], name="evaluation_item_review_order"),
        ),
        migrations.AddConstraint(
            model_name="evaluationitem",
            constraint=models.UniqueConstraint(fields=("tenant", "run", "position"), name="evaluation_item_once"),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.UniqueConstraint(fields=("tenant", "item", "reviewer"), name="review_once"),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.CheckConstraint(
                condition=models.Q(("grade__gte", 1), ("grade__lte", 5)), name="review_grade_1_to_5"
            ),
        ),
        IsolateTenant("EvaluationRun"),
        IsolateTenant("EvaluationItem"),
        IsolateTenant("Review"),
    ]
