from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("evaluations", "0014_judge_usage"),
    ]

    operations = [
        migrations.AddField(
            model_name="judge",
            name="is_tested_automatically",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="Whether tests start by themselves: after a change, and each month.",
            ),
        ),
    ]
