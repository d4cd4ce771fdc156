import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """A new table, which code of the release before does not know."""

    dependencies = [
        ("metering", "0015_storage_measured"),
        ("serving", "0009_endpoint_alarms"),
    ]

    operations = [
        migrations.CreateModel(
            name="EngineHour",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "endpoint", "hour", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("base_bytes", models.BigIntegerField(null=True)),
                ("slots_bytes", models.BigIntegerField(null=True)),
                ("cache_bytes", models.BigIntegerField(null=True)),
                ("process_bytes", models.BigIntegerField(null=True)),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="serving.endpoint",
                    ),
                ),
            ],
            options={"ordering": ("-hour",)},
        ),
    ]
