from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("serving", "0006_fill_placements")]

    operations = [
        migrations.AddField(
            "deployment",
            "is_pinned",
            # The database has the default too, for processes that still run the code before.
            models.BooleanField(
                default=False, db_default=False, help_text="Whether it keeps its slot, however rarely it is asked."
            ),
        ),
    ]
