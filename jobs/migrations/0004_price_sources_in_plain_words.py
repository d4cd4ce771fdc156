from django.db import migrations

from tenants.scope import system_scope

PLAIN = {
    "Configured by LOCAL_PRICE_USD_PER_HOUR; a stand-in, not a bill": "Estimate set by your site’s operator, not a bill",
    "No price is set: SAGEMAKER_PRICE_USD_PER_HOUR": "No price is set",
}


def reword(apps, schema_editor):
    with system_scope():
        for old, plain in PLAIN.items():
            apps.get_model("jobs", "Job").objects.filter(price_source=old).update(price_source=plain)


class Migration(migrations.Migration):
    """A job keeps where its price is from; what earlier defaults said named settings to customers."""

    dependencies = [
        ("jobs", "0003_discard_begun"),
    ]

    operations = [
        migrations.RunPython(reword, migrations.RunPython.noop),
    ]
