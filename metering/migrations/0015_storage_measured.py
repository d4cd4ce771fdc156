import uuid

import django.db.models.deletion
from django.db import migrations, models

import tenants.isolation
from tenants.isolation import IsolateTenant


class Migration(migrations.Migration):
    """New tables, and a column with a default of the database: code of the release before goes on."""

    dependencies = [
        ("metering", "0014_reconciliation"),
        ("tenants", "0008_webhooks"),
    ]

    operations = [
        migrations.AddField(
            model_name="spend",
            name="gb_months_without_cost",
            field=models.FloatField(db_default=0.0, default=0.0),
        ),
        migrations.CreateModel(
            name="StorageHour",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("hour", models.DateTimeField()),
                ("kind", models.CharField(help_text="the folder of the objects, such as datasets", max_length=40)),
                ("adapter", models.CharField(blank=True, max_length=80)),
                ("storage_class", models.CharField(max_length=40)),
                ("bytes", models.BigIntegerField()),
                (
                    "price",
                    models.DecimalField(
                        decimal_places=10,
                        help_text="US dollars per GB-month; null: not known",
                        max_digits=20,
                        null=True,
                    ),
                ),
                ("price_source", models.CharField(blank=True, max_length=200)),
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
                "indexes": [
                    models.Index(
                        condition=models.Q(("price", None)),
                        fields=["hour", "storage_class"],
                        name="storage_without_price",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "hour", "kind", "adapter", "storage_class"), name="storage_hour_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StorageListing",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("hour", models.DateTimeField()),
                ("after", models.CharField(blank=True, help_text="key of the last object", max_length=1024)),
                ("sums", models.JSONField(default=list, help_text="[[kind, adapter, storage class, bytes]]")),
                ("finished_at", models.DateTimeField(null=True)),
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
                "constraints": [models.UniqueConstraint(fields=("tenant", "hour"), name="storage_listing_once")],
            },
        ),
        IsolateTenant("StorageHour"),
        IsolateTenant("StorageListing"),
    ]
