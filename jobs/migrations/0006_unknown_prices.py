from django.db import migrations

from tenants.scope import system_scope

WITHOUT_PRICE = ("", "No price set", "No price is set")


def forget(apps, schema_editor):
    with system_scope():
        jobs = apps.get_model("jobs", "Job").objects
        jobs.filter(usd_per_hour=0, price_source__in=WITHOUT_PRICE).update(usd_per_hour=None, price_source="")


def put_back(apps, schema_editor):
    with system_scope():
        # Jobs that had no run have no price either, as before.
        jobs = apps.get_model("jobs", "Job").objects
        jobs.filter(usd_per_hour=None, billable_seconds__gt=0).update(usd_per_hour=0, price_source="No price set")


class Migration(migrations.Migration):
    """A price of 0 without a source was none: what such runs cost is unknown, not nothing."""

    dependencies = [
        ("jobs", "0005_indexes_of_state_and_costs"),
    ]

    operations = [
        migrations.RunPython(forget, put_back),
    ]
