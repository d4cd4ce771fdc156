from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("evaluations", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="evaluationitem",
            name="slice",
            field=models.CharField(default="all", max_length=80),
        ),
    ]
