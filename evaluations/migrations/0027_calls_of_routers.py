from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("evaluations", "0026_what_runs_are_about"),
    ]

    operations = [
        migrations.AlterField(
            model_name="judgeusage",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("judging", "Judging"),
                    ("answering", "Outside models"),
                    ("testing", "Testing judges"),
                    ("routing", "Routing requests"),
                ],
                max_length=16,
            ),
        ),
    ]
