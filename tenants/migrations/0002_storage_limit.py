from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="max_storage_bytes",
            field=models.BigIntegerField(
                default=53687091200, help_text="Limit for uploaded files, including unfinished uploads."
            ),
        ),
    ]
