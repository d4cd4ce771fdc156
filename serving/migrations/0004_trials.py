import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import tenants.isolation
from tenants.isolation import IsolateTenant


class Migration(migrations.Migration):
    dependencies = [
        ("adapters", "0004_evaluate_after_training"),
        ("jobs", "0005_indexes_of_state_and_costs"),
        ("serving", "0003_scheduled_promotions"),
        ("tenants", "0007_keys_end_with_account"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Trial",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("passed", "No harm found"),
                            ("halted", "Halted"),
                            ("stopped", "Stopped"),
                        ],
                        default="running",
                        max_length=16,
                    ),
                ),
                ("share", models.FloatField(help_text="of callers whom the candidate answers, from 0 to below 1")),
                ("salt", models.CharField(help_text="Decides with the caller which version answers.", max_length=32)),
                ("window", models.DurationField(help_text="from a caller’s first request, in which requests count")),
                (
                    "slow_ms",
                    models.FloatField(
                        help_text="Latency above which a request counts as slow; null: none does.", null=True
                    ),
                ),
                (
                    "copies_wanted",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Requests that the other version answers too, unseen, so that answers can be compared.",
                    ),
                ),
                (
                    "judging",
                    models.JSONField(
                        default=dict,
                        help_text="Who compares the answers, by what, how far that is, and what came out; empty: nobody.",
                    ),
                ),
                ("ends_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("figures", models.JSONField(default=dict, help_text="What was seen of the callers when it ended.")),
                (
                    "adapter",
                    tenants.isolation.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="trials",
                        to="adapters.adapter",
                    ),
                ),
                (
                    "candidate",
                    tenants.isolation.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="serving.deployment",
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
                    "job",
                    tenants.isolation.TenantOneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="trial",
                        to="jobs.job",
                    ),
                ),
                (
                    "live",
                    tenants.isolation.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="serving.deployment",
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
                "ordering": ("-created_at",),
            },
        ),
        migrations.CreateModel(
            name="TrialCaller",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("caller", models.CharField(max_length=32)),
                ("in_canary", models.BooleanField()),
                ("closes_at", models.DateTimeField()),
                ("requests", models.PositiveSmallIntegerField(default=0)),
                ("errors", models.PositiveSmallIntegerField(default=0)),
                ("slow", models.PositiveSmallIntegerField(default=0)),
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
                (
                    "trial",
                    tenants.isolation.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="callers",
                        to="serving.trial",
                    ),
                ),
            ],
            options={
                "ordering": ("closes_at",),
            },
        ),
        migrations.CreateModel(
            name="TrialCopy",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("caller", models.CharField(max_length=32)),
                ("messages", models.JSONField()),
                ("live_text", models.TextField(blank=True)),
                ("candidate_text", models.TextField(blank=True)),
                (
                    "error_code",
                    models.CharField(
                        blank=True,
                        help_text="Why the copy has no answer; empty: both versions answered.",
                        max_length=80,
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
                (
                    "trial",
                    tenants.isolation.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="copies",
                        to="serving.trial",
                    ),
                ),
            ],
            options={
                "ordering": ("created_at", "id"),
            },
        ),
        migrations.AddConstraint(
            model_name="trial",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "running")), fields=("tenant", "adapter"), name="trial_running_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="trial",
            constraint=models.CheckConstraint(
                condition=models.Q(("share__gte", 0), ("share__lt", 1)), name="trial_share_is_a_share"
            ),
        ),
        migrations.AddConstraint(
            model_name="trialcaller",
            constraint=models.UniqueConstraint(fields=("tenant", "trial", "caller"), name="trial_caller_once"),
        ),
        migrations.AddIndex(
            model_name="trialcopy",
            index=models.Index(fields=["tenant", "trial", "created_at"], name="trial_copies_in_order"),
        ),
        IsolateTenant("Trial"),
        IsolateTenant("TrialCaller"),
        IsolateTenant("TrialCopy"),
    ]
