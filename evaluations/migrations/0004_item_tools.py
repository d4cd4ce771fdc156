from django.db import migrations, models


class Migration(migrations.Migration):
    """A default in the database, so that rows can be written by code from before this column."""

    dependencies = [
        ("evaluations", "0003_item_run_without_index"),
    ]

    operations = [
        migrations.AddField(
            model_name="evaluationitem",
            name="tools",
            field=models.JSONField(db_default=[], default=list, help_text="the functions that the model may call"),
        ),
    ]
