from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("metering", "0008_fill_usage_by_dimension"),
    ]

    operations = [
        migrations.CreateModel(
            name="EndpointHour",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "endpoint", "hour", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("endpoint", models.CharField(max_length=50)),
                ("hour", models.DateTimeField()),
                ("up_ms", models.BigIntegerField(default=0, help_text="how long it was there")),
                ("instance_ms", models.BigIntegerField(default=0, help_text="the same, times its instances")),
                ("measured_until", models.DateTimeField()),
                (
                    "price_per_hour",
                    models.DecimalField(
                        decimal_places=6, help_text="of an instance; null: not known", max_digits=16, null=True
                    ),
                ),
                ("price_source", models.CharField(blank=True, max_length=200)),
                ("micros", models.BigIntegerField(help_text="null: the price is not known", null=True)),
                ("used_micros", models.BigIntegerField(default=0)),
                ("idle_micros", models.BigIntegerField(default=0, help_text="borne by tenants")),
                ("operator_micros", models.BigIntegerField(default=0)),
                (
                    "idle_policy",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("operator", "The operator"),
                            ("use", "Those who used it, by their use"),
                            ("equally", "All adapters that were on it, equally"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "method",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("steps", "Share of the engine’s own time"),
                            ("tokens", "Share of weighted tokens, of the time in which requests were answered"),
                        ],
                        max_length=6,
                    ),
                ),
                (
                    "allocated_at",
                    models.DateTimeField(help_text="null: to be shared, or to be shared again", null=True),
                ),
            ],
            options={
                "ordering": ("-hour", "endpoint"),
                "indexes": [
                    models.Index(condition=models.Q(("allocated_at", None)), fields=["hour"], name="endpoint_hour_due")
                ],
            },
        ),
    ]
