import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

TABLES = ("metering_price", "metering_discount", "metering_exchangerate")

# Ending a row writes ended_at once; deleting an account empties recorded_by_id.
FUNCTION = """
CREATE FUNCTION metering_price_book_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  old_row jsonb := to_jsonb(OLD);
  new_row jsonb := CASE WHEN TG_OP = 'UPDATE' THEN to_jsonb(NEW) END;
BEGIN
  IF TG_OP = 'UPDATE'
    AND new_row - 'ended_at' - 'recorded_by_id' = old_row - 'ended_at' - 'recorded_by_id'
    AND (old_row->>'ended_at' IS NULL OR new_row->>'ended_at' = old_row->>'ended_at')
    AND (new_row->>'recorded_by_id' IS NULL OR new_row->>'recorded_by_id' = old_row->>'recorded_by_id')
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'the price book cannot be changed, only added to' USING ERRCODE = 'insufficient_privilege';
END $$;
"""
TRIGGER = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION metering_price_book_refuse();
"""


class Migration(migrations.Migration):
    """New tables only. What was recorded stays as it was: the database refuses other changes."""

    dependencies = [
        ("metering", "0010_observed"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Discount",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("valid_from", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                (
                    "service",
                    models.CharField(
                        choices=[
                            ("hosting", "Hosting"),
                            ("training", "Training"),
                            ("storage", "Storage"),
                            ("judge_input", "Judge input tokens"),
                            ("judge_output", "Judge output tokens"),
                        ],
                        max_length=16,
                    ),
                ),
                ("item", models.CharField(blank=True, help_text="empty: every item", max_length=80)),
                ("percent", models.DecimalField(decimal_places=2, max_digits=5)),
                ("valid_until", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("reason", models.CharField(max_length=80)),
                (
                    "recorded_by",
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
                "ordering": ("-recorded_at",),
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("percent__gt", 0), ("percent__lte", 100)), name="discount_is_a_share"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("valid_until__gt", models.F("valid_from"))), name="discount_has_a_length"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ExchangeRate",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("valid_from", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                ("currency", models.CharField(max_length=3)),
                ("into", models.CharField(max_length=3)),
                ("rate", models.DecimalField(decimal_places=10, max_digits=20)),
                ("note", models.CharField(blank=True, max_length=300)),
                (
                    "recorded_by",
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
                "ordering": ("-recorded_at",),
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("rate__gt", 0)), name="rate_is_positive"),
                    models.CheckConstraint(
                        condition=models.Q(("currency", models.F("into")), _negated=True),
                        name="rate_between_two_currencies",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Price",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("valid_from", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                (
                    "service",
                    models.CharField(
                        choices=[
                            ("hosting", "Hosting"),
                            ("training", "Training"),
                            ("storage", "Storage"),
                            ("judge_input", "Judge input tokens"),
                            ("judge_output", "Judge output tokens"),
                        ],
                        max_length=16,
                    ),
                ),
                ("item", models.CharField(max_length=80)),
                ("region", models.CharField(blank=True, help_text="empty: of any region", max_length=40)),
                (
                    "unit",
                    models.CharField(
                        choices=[("hour", "hour"), ("gb_month", "GB-month"), ("million_tokens", "million tokens")],
                        max_length=16,
                    ),
                ),
                ("amount", models.DecimalField(decimal_places=10, max_digits=20)),
                ("currency", models.CharField(help_text="ISO 4217", max_length=3)),
                ("valid_until", models.DateTimeField(blank=True, null=True)),
                (
                    "ended_at",
                    models.DateTimeField(blank=True, help_text="when it was ended before its time", null=True),
                ),
                (
                    "source",
                    models.CharField(choices=[("hand", "Set by hand"), ("aws", "AWS price list")], max_length=8),
                ),
                ("note", models.CharField(blank=True, max_length=300)),
                (
                    "recorded_by",
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
                "ordering": ("-recorded_at",),
                "abstract": False,
                "indexes": [models.Index(fields=["service", "item", "recorded_at"], name="price_of_item")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount__gte", 0)), name="price_not_negative"),
                    models.CheckConstraint(
                        condition=models.Q(("valid_until__gt", models.F("valid_from"))), name="price_has_a_length"
                    ),
                ],
            },
        ),
        migrations.RunSQL(FUNCTION, "DROP FUNCTION metering_price_book_refuse();"),
        *(migrations.RunSQL(TRIGGER.format(table=table), f"DROP TRIGGER append_only ON {table};") for table in TABLES),
    ]
