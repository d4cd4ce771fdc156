from django.db import migrations, models


class Migration(migrations.Migration):
    """Rows keep which training row is most like them, and how much."""

    dependencies = [
        ("evaluations", "0029_sources_of_judge_prices"),
    ]

    operations = [
        migrations.AddField(
            model_name="evaluationitem",
            name="likeness",
            field=models.FloatField(
                blank=True,
                help_text="0..1, how similar the prompt is to that of the training row `most_alike`",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="evaluationitem",
            name="most_alike",
            field=models.CharField(
                db_default="",
                default="",
                help_text="id of the training row whose prompt is the most similar",
                max_length=64,
            ),
        ),
        migrations.AlterField(
            model_name="evaluatedmodel",
            name="facts",
            field=models.JSONField(
                db_default={},
                default=dict,
                help_text="of an alternative: {likeness, by_meaning, rows, of, left_out}, how it finds which training rows",
            ),
        ),
    ]
