import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import tenants.isolation
from tenants.isolation import IsolateTenant

TABLES = ("metering_closedmonth", "metering_statement", "metering_adjustment")

# Closing writes finished_at once; deleting an account empties closed_by_id and created_by_id.
FUNCTION = """
CREATE FUNCTION metering_statements_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  old_row jsonb := to_jsonb(OLD);
  new_row jsonb := CASE WHEN TG_OP = 'UPDATE' THEN to_jsonb(NEW) END;
  may_change text[] := ARRAY['finished_at', 'closed_by_id', 'created_by_id'];
BEGIN
  IF TG_OP = 'UPDATE'
    AND new_row - may_change = old_row - may_change
    AND (old_row->>'finished_at' IS NULL OR new_row->>'finished_at' = old_row->>'finished_at')
    AND (new_row->>'closed_by_id' IS NULL OR new_row->>'closed_by_id' = old_row->>'closed_by_id')
    AND (new_row->>'created_by_id' IS NULL OR new_row->>'created_by_id' = old_row->>'created_by_id')
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'statements cannot be changed, only added to' USING ERRCODE = 'insufficient_privilege';
END $$;
"""
TRIGGER = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION metering_statements_refuse();
"""


class Migration(migrations.Migration):
    """New tables only. What was stated stays as it was: the database refuses other changes."""

    dependencies = [
        ("metering", "0012_budgets"),
        ("tenants", "0007_keys_end_with_account"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Adjustment",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("month", models.DateField(help_text="first day of the statement's month")),
                (
                    "kind",
                    models.CharField(
                        choices=[("credit", "By the operator"), ("late", "Counted after its month was closed")],
                        max_length=8,
                    ),
                ),
                ("micros", models.BigIntegerField(help_text="below 0: a credit")),
                ("reason", models.CharField(blank=True, max_length=200)),
                (
                    "of_month",
                    models.DateField(blank=True, help_text="first day of the month that it is about", null=True),
                ),
                ("hour", models.DateTimeField(blank=True, null=True)),
                ("endpoint", models.CharField(blank=True, max_length=50)),
                ("alias", models.CharField(blank=True, max_length=80)),
                ("version_key", models.CharField(blank=True, max_length=36)),
                ("key", models.CharField(blank=True, max_length=36)),
                ("requests", models.BigIntegerField(default=0)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="null: the site, or its command line",
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
                "indexes": [
                    models.Index(fields=["tenant", "month"], name="adjustment_of_statement"),
                    models.Index(
                        condition=models.Q(("kind", "late")), fields=["endpoint", "hour"], name="adjustment_of_hour"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("month__day", 1)), name="adjustment_of_a_month"),
                    models.CheckConstraint(
                        condition=models.Q(("of_month", None), ("of_month__lte", models.F("month")), _connector="OR"),
                        name="adjustment_of_the_past",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind", "credit"),
                            models.Q(
                                ("hour__isnull", False),
                                ("kind", "late"),
                                ("micros__gt", 0),
                                ("of_month__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="late_use_has_an_hour",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ClosedMonth",
            fields=[
                ("month", models.DateField(primary_key=True, serialize=False)),
                ("closed_at", models.DateTimeField()),
                (
                    "is_by_hand",
                    models.BooleanField(default=False, help_text="whether an operator closed it before it was due"),
                ),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "closed_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="null: the site, or its command line",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-month",),
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("month__day", 1)), name="closed_month_is_a_first")
                ],
            },
        ),
        migrations.CreateModel(
            name="Statement",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("month", models.DateField(help_text="first day")),
                ("number", models.CharField(max_length=60, unique=True)),
                ("document", models.JSONField()),
                ("sha256", models.CharField(max_length=64)),
                ("due_micros", models.BigIntegerField(help_text="charges and adjustments")),
                ("provider_micros", models.BigIntegerField(help_text="paid to the organisation's own providers")),
                ("closed_at", models.DateTimeField()),
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
                "constraints": [models.UniqueConstraint(fields=("tenant", "month"), name="statement_once")],
            },
        ),
        IsolateTenant("Adjustment"),
        IsolateTenant("Statement"),
        migrations.RunSQL(FUNCTION, "DROP FUNCTION metering_statements_refuse();"),
        *(migrations.RunSQL(TRIGGER.format(table=table), f"DROP TRIGGER append_only ON {table};") for table in TABLES),
    ]
