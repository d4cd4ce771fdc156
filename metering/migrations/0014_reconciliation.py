import uuid
from decimal import Decimal

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """New tables only."""

    dependencies = [
        ("metering", "0013_statements"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BillImport",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("imported_at", models.DateTimeField()),
                ("file_names", models.CharField(max_length=300)),
                ("sha256", models.CharField(help_text="of all files, in their order", max_length=64)),
                (
                    "layout",
                    models.CharField(
                        choices=[("cur", "AWS Cost and Usage Report"), ("focus", "FOCUS export")], max_length=8
                    ),
                ),
                (
                    "periods",
                    models.CharField(help_text="account and month of each bill that it replaced", max_length=300),
                ),
                ("rows_read", models.BigIntegerField()),
                ("rows_kept", models.BigIntegerField()),
                (
                    "imported_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="null: the command line",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-imported_at",),
            },
        ),
        migrations.CreateModel(
            name="BillLine",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("account", models.CharField(max_length=20)),
                ("month", models.DateTimeField(help_text="the first of the bill's month")),
                ("start", models.DateTimeField()),
                ("end", models.DateTimeField()),
                (
                    "subject",
                    models.CharField(
                        choices=[("endpoint", "Endpoint"), ("job", "Job"), ("other", "Not this site’s")], max_length=8
                    ),
                ),
                ("subject_name", models.CharField(blank=True, max_length=63)),
                ("resource", models.CharField(blank=True, max_length=300)),
                ("usage_type", models.CharField(blank=True, max_length=120)),
                ("line_type", models.CharField(blank=True, max_length=40)),
                ("region", models.CharField(blank=True, max_length=40)),
                ("unit", models.CharField(blank=True, max_length=40)),
                ("currency", models.CharField(max_length=3)),
                ("quantity", models.DecimalField(decimal_places=10, default=Decimal("0"), max_digits=26)),
                ("listed_cost", models.DecimalField(decimal_places=10, default=Decimal("0"), max_digits=26)),
                ("net_cost", models.DecimalField(decimal_places=10, default=Decimal("0"), max_digits=26)),
                (
                    "bill_import",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="metering.billimport"
                    ),
                ),
            ],
            options={
                "ordering": ("start", "subject", "subject_name"),
                "indexes": [models.Index(fields=["month", "account"], name="bill_line_of_month")],
            },
        ),
    ]
