from django.db import migrations, models

from tenants.indexes import AddIndexInUse


class Migration(migrations.Migration):
    """For the list of one state, and for costs over a time range."""

    atomic = False

    dependencies = [("jobs", "0004_price_sources_in_plain_words")]

    operations = [
        AddIndexInUse(
            model_name="job",
            index=models.Index(fields=["tenant", "state", "-created_at"], name="job_newest_of_state"),
        ),
        AddIndexInUse(
            model_name="job",
            index=models.Index(
                condition=models.Q(("billable_seconds__gt", 0)),
                fields=["tenant", "finished_at"],
                include=("kind", "usd_per_hour", "price_source", "billable_seconds"),
                name="job_billed",
            ),
        ),
    ]
