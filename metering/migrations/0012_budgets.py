import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import tenants.isolation
from tenants.isolation import IsolateTenant


class Migration(migrations.Migration):
    """New tables only."""

    dependencies = [
        ("metering", "0011_prices"),
        ("tenants", "0008_webhooks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Alert",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("budget", "Budget"),
                            ("forecast", "Forecast"),
                            ("latency", "Latency"),
                            ("errors", "Failed requests"),
                            ("cost", "Cost"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "subject",
                    models.CharField(
                        blank=True, help_text="a budget's ID, or a model; empty: all models", max_length=80
                    ),
                ),
                ("occasion", models.CharField(max_length=80)),
                ("title", models.CharField(max_length=200)),
                ("text", models.CharField(max_length=500)),
                ("data", models.JSONField(default=dict)),
                ("seen_at", models.DateTimeField(help_text="when it was last found to be so")),
                ("ended_at", models.DateTimeField(null=True)),
                ("acknowledged_at", models.DateTimeField(null=True)),
                ("note", models.CharField(blank=True, max_length=300)),
                ("snoozed_until", models.DateTimeField(null=True)),
                (
                    "acknowledged_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
            name="AlertMail",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("sent", "Sent"), ("failed", "Given up")],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField(help_text="null: it has ended", null=True)),
                ("reason", models.CharField(blank=True, help_text="why it was not sent", max_length=200)),
                (
                    "alert",
                    tenants.isolation.TenantForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mails",
                        to="metering.alert",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
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
            },
        ),
        migrations.CreateModel(
            name="Budget",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "scope",
                    models.CharField(
                        choices=[("all", "Everything"), ("adapter", "Adapter"), ("key", "API key")], max_length=8
                    ),
                ),
                ("value", models.CharField(blank=True, max_length=80)),
                ("amount_micros", models.BigIntegerField()),
                ("note", models.CharField(blank=True, max_length=300)),
                ("recipients", models.JSONField(default=list)),
                ("set_at", models.DateTimeField()),
                (
                    "set_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
            },
        ),
        migrations.CreateModel(
            name="Spend",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "scope",
                    models.CharField(
                        choices=[("all", "Everything"), ("adapter", "Adapter"), ("key", "API key")], max_length=8
                    ),
                ),
                ("value", models.CharField(blank=True, max_length=80)),
                ("month", models.DateField(help_text="its first day")),
                ("micros", models.BigIntegerField(default=0)),
                ("requests_without_cost", models.BigIntegerField(default=0)),
                ("seconds_without_cost", models.FloatField(default=0.0)),
                ("calls_without_cost", models.BigIntegerField(default=0)),
                ("forecast_micros", models.BigIntegerField(null=True)),
                ("forecast_low_micros", models.BigIntegerField(null=True)),
                ("forecast_high_micros", models.BigIntegerField(null=True)),
                (
                    "used_up_on",
                    models.DateField(help_text="the day on which the budget is, or will be, used up", null=True),
                ),
                ("counted_at", models.DateTimeField()),
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
                "ordering": ("-month",),
            },
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(fields=["tenant", "-created_at"], name="alert_newest"),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.UniqueConstraint(fields=("tenant", "kind", "subject", "occasion"), name="alert_once"),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)), fields=("tenant", "kind", "subject"), name="alert_open_once"
            ),
        ),
        migrations.AddIndex(
            model_name="alertmail",
            index=models.Index(condition=models.Q(("state", "waiting")), fields=["due_at"], name="alert_mail_due"),
        ),
        migrations.AddConstraint(
            model_name="alertmail",
            constraint=models.UniqueConstraint(fields=("tenant", "alert", "person"), name="alert_mail_once"),
        ),
        migrations.AddConstraint(
            model_name="budget",
            constraint=models.UniqueConstraint(fields=("tenant", "scope", "value"), name="budget_once"),
        ),
        migrations.AddConstraint(
            model_name="budget",
            constraint=models.CheckConstraint(condition=models.Q(("amount_micros__gt", 0)), name="budget_above_zero"),
        ),
        migrations.AddConstraint(
            model_name="spend",
            constraint=models.UniqueConstraint(fields=("tenant", "scope", "value", "month"), name="spend_once"),
        ),
        IsolateTenant("Alert"),
        IsolateTenant("AlertMail"),
        IsolateTenant("Budget"),
        IsolateTenant("Spend"),
    ]
