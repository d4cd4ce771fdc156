import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import tenants.isolation
from tenants.isolation import IsolateTenant


class Migration(migrations.Migration):
    dependencies = [
        ("serving", "0006_fill_placements"),
        ("tenants", "0007_keys_end_with_account"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Router",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("name", models.SlugField(max_length=60)),
                (
                    "rules",
                    models.JSONField(
                        default=list,
                        help_text="In order: {id, kind: keyword or pattern, texts, target: name of a model}.",
                    ),
                ),
                (
                    "compiled",
                    models.BinaryField(default=b"", help_text="The rules, as lorakit.route.table.Table dumps them."),
                ),
                (
                    "default",
                    models.CharField(
                        blank=True, help_text="Model for what nothing fits; empty: refuse it.", max_length=80
                    ),
                ),
                (
                    "classifier",
                    models.CharField(blank=True, help_text="Name of a classifier; empty: none.", max_length=40),
                ),
                (
                    "judge",
                    models.CharField(
                        blank=True, help_text="Whom the classifier asks, if it asks a judge.", max_length=80
                    ),
                ),
                (
                    "floor",
                    models.FloatField(
                        default=0.7, help_text="Confidence from 0 to 1 below which a guess is not taken."
                    ),
                ),
                (
                    "targets",
                    models.JSONField(
                        default=list,
                        help_text="Models that the classifier chooses from: {name, description, examples: prompts}.",
                    ),
                ),
                ("revision", models.PositiveIntegerField(default=1)),
                ("changed_at", models.DateTimeField(default=django.utils.timezone.now)),
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
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="RouterHits",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("hour", models.DateTimeField()),
                ("router", models.CharField(max_length=60)),
                ("by", models.CharField(help_text="rule, classifier or default", max_length=16)),
                ("rule", models.CharField(blank=True, help_text="ID of the rule", max_length=36)),
                (
                    "target",
                    models.CharField(blank=True, help_text="Model that answered; empty: refused.", max_length=80),
                ),
                ("requests", models.PositiveBigIntegerField(default=0)),
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
                "ordering": ("-hour",),
            },
        ),
        migrations.CreateModel(
            name="RouterLearning",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("source", models.CharField(max_length=64)),
                ("data", models.BinaryField(default=b"")),
                (
                    "report",
                    models.JSONField(
                        default=dict, help_text="Prompts learnt and held out by model, and how those went."
                    ),
                ),
                ("learnt_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "router",
                    tenants.isolation.TenantOneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="learning",
                        to="serving.router",
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
                "ordering": ("-learnt_at",),
            },
        ),
        migrations.AddConstraint(
            model_name="router",
            constraint=models.UniqueConstraint(fields=("tenant", "name"), name="router_name_once"),
        ),
        migrations.AddConstraint(
            model_name="router",
            constraint=models.CheckConstraint(
                condition=models.Q(("floor__gte", 0), ("floor__lte", 1)), name="router_floor_is_a_share"
            ),
        ),
        migrations.AddConstraint(
            model_name="routerhits",
            constraint=models.UniqueConstraint(
                fields=("tenant", "router", "hour", "by", "rule", "target"), name="router_hits_once"
            ),
        ),
        IsolateTenant("Router"),
        IsolateTenant("RouterLearning"),
        IsolateTenant("RouterHits"),
    ]
