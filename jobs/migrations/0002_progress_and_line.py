from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="job",
            name="attempts_without_progress",
            field=models.PositiveSmallIntegerField(
                default=1, help_text="Attempts in a row without progress, including the current one."
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="furthest_step",
            field=models.PositiveIntegerField(
                default=0, help_text="Highest step that any attempt has reported or saved."
            ),
        ),
        migrations.AlterField(
            model_name="job",
            name="max_attempts",
            field=models.PositiveSmallIntegerField(
                default=5, help_text="Maximum number of attempts in a row without progress."
            ),
        ),
        migrations.RemoveIndex(model_name="job", name="job_queued"),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("state", "queued")),
                fields=["backend", "tenant", "created_at"],
                name="job_in_line",
            ),
        ),
    ]
