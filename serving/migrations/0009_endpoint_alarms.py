import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """A new table only."""

    dependencies = [("serving", "0008_capacity")]

    operations = [
        migrations.CreateModel(
            name="EndpointAlarm",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(help_text="Its name in the cloud.", max_length=255)),
                ("text", models.CharField(blank=True, max_length=1024)),
                ("state", models.CharField(help_text="as serving.backends.alarms.AlarmState", max_length=8)),
                ("since", models.DateTimeField(help_text="When its state last changed.")),
                ("read_at", models.DateTimeField()),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="alarms",
                        to="serving.endpoint",
                    ),
                ),
            ],
            options={
                "ordering": ("name",),
                "constraints": [models.UniqueConstraint(fields=("endpoint", "name"), name="endpoint_alarm_once")],
            },
        ),
    ]
