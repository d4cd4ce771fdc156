from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("adapters", "0002_sweeps_and_resumptions"),
    ]

    operations = [
        migrations.AddField(
            model_name="adapterversion",
            name="registry_arn",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="ARN in the backend's model registry, if it has one.",
                max_length=300,
            ),
        ),
    ]
