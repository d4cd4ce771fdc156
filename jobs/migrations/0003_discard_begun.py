from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0002_progress_and_line")]

    operations = [
        migrations.AddField(
            model_name="job",
            name="discard_begun",
            field=models.BooleanField(
                default=False, db_default=False, help_text="Its run and checkpoints are being deleted."
            ),
        ),
    ]
