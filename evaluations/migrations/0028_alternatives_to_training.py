from django.db import migrations, models


class Migration(migrations.Migration):
    """Evaluations also have what needs no training answer the rows: the base with examples, a look-up, a classifier."""

    dependencies = [
        ("evaluations", "0027_calls_of_routers"),
    ]

    operations = [
        migrations.AddField(
            model_name="answer",
            name="examples",
            field=models.PositiveSmallIntegerField(blank=True, help_text="training rows in the prompt", null=True),
        ),
        migrations.AddField(
            model_name="answer",
            name="prompt_tokens",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="evaluatedmodel",
            name="facts",
            field=models.JSONField(
                db_default={},
                default=dict,
                help_text="of an alternative to training: {likeness, rows, of, left_out}, how it finds which training rows",
            ),
        ),
        migrations.AddField(
            model_name="evaluationitem",
            name="nearest",
            field=models.JSONField(
                db_default=[],
                default=list,
                help_text="ids of the training rows with the most similar prompts, best first",
            ),
        ),
        migrations.AddField(
            model_name="evaluationrun",
            name="has_alternatives",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Whether what needs no training answers the rows too."
            ),
        ),
        migrations.AlterField(
            model_name="evaluatedmodel",
            name="kind",
            field=models.CharField(
                choices=[
                    ("base", "Base model"),
                    ("version", "Adapter version"),
                    ("outside", "Outside model"),
                    ("few_shot", "Base model with examples"),
                    ("look_up", "Look-up"),
                    ("classifier", "Classifier"),
                ],
                max_length=16,
            ),
        ),
    ]
