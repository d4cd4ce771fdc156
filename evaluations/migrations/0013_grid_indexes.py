from django.db import migrations, models

from tenants.indexes import AddIndexInUse


class Migration(migrations.Migration):
    """What a grid counts is in the index, so that the answers themselves need not be read."""

    atomic = False

    dependencies = [
        ("evaluations", "0012_qualifications"),
    ]

    operations = [
        AddIndexInUse(
            model_name="answer",
            index=models.Index(
                fields=["model", "is_right"],
                include=("tenant", "item", "completion_tokens", "seconds", "log_probability"),
                name="answer_grid",
            ),
        ),
        migrations.RemoveIndex(model_name="answer", name="answer_right"),
    ]
