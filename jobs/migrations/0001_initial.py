import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import tenants.isolation
from tenants.isolation import IsolateTenant


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenants", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Job",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("kind", models.CharField(max_length=40)),
                ("title", models.CharField(max_length=160)),
                ("spec", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("stopping", "Stopping"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("stopped", "Stopped"),
                        ],
                        default="queued",
                        max_length=16,
                    ),
                ),
                ("phase", models.CharField(blank=True, max_length=40)),
                ("fraction", models.FloatField(default=0.0)),
                ("eta_seconds", models.FloatField(blank=True, null=True)),
                (
                    "cost_units",
                    models.FloatField(default=1.0, help_text="Units of its tenant's credit in the fair queue."),
                ),
                ("backend", models.CharField(blank=True, max_length=40)),
                ("external_name", models.CharField(blank=True, max_length=63)),
                (
                    "run_discarded",
                    models.BooleanField(
                        default=False, help_text="Its run and checkpoints have been deleted from the backend."
                    ),
                ),
                ("events_cursor", models.BigIntegerField(default=0)),
                ("attempt", models.PositiveSmallIntegerField(default=1)),
                ("max_attempts", models.PositiveSmallIntegerField(default=5)),
                ("fence", models.BigIntegerField(default=0)),
                ("lease_expires_at", models.DateTimeField(blank=True, null=True)),
                ("due_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("error_code", models.CharField(blank=True, max_length=80)),
                ("error_text", models.TextField(blank=True)),
                ("result", models.JSONField(default=dict)),
                ("billable_seconds", models.FloatField(default=0.0)),
                ("billed_attempt", models.PositiveSmallIntegerField(default=0)),
                ("usd_per_hour", models.DecimalField(blank=True, decimal_places=4, max_digits=10, null=True)),
                ("price_source", models.CharField(blank=True, max_length=200)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
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
            name="JobEvent",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("attempt", models.PositiveSmallIntegerField()),
                ("seq", models.PositiveIntegerField()),
                ("at", models.DateTimeField()),
                ("type", models.CharField(max_length=20)),
                ("data", models.JSONField(default=dict)),
                (
                    "job",
                    tenants.isolation.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
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
                "ordering": ("attempt", "seq"),
            },
        ),
        migrations.CreateModel(
            name="QueueShare",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("credit", models.FloatField(default=0.0)),
                ("served_at", models.DateTimeField(null=True)),
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
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["tenant", "-created_at"], name="job_newest"),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("state__in", ["running", "stopping"])), fields=["due_at"], name="job_due"
            ),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("state", "queued")), fields=["tenant", "created_at"], name="job_queued"
            ),
        ),
        migrations.AddConstraint(
            model_name="job",
            constraint=models.UniqueConstraint(
                condition=models.Q(("external_name", ""), _negated=True),
                fields=("tenant", "external_name"),
                name="job_external_name_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="jobevent",
            constraint=models.UniqueConstraint(fields=("tenant", "job", "attempt", "seq"), name="job_event_once"),
        ),
        migrations.AddConstraint(
            model_name="queueshare",
            constraint=models.UniqueConstraint(fields=("tenant",), name="queue_share_once"),
        ),
        IsolateTenant("Job"),
        IsolateTenant("JobEvent"),
        IsolateTenant("QueueShare"),
    ]
