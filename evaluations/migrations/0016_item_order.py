from django.db import migrations, models

from tenants.indexes import AddIndexInUse


class Migration(migrations.Migration):
    """What a grid filters and sorts by is in the index, so that the rows themselves need not be read."""

    atomic = False

    dependencies = [
        ("evaluations", "0015_judge_tested_automatically"),
    ]

    operations = [
        AddIndexInUse(
            model_name="evaluationitem",
            index=models.Index(
                fields=["run", "position"],
                include=("tenant", "id", "slice", "prompt_length"),
                name="evaluation_item_order",
            ),
        ),
    ]
