import django.db.models.deletion
from django.db import migrations

import tenants.isolation
from tenants.indexes import DropColumnIndexes


class Migration(migrations.Migration):
    """The index of the order of reviews begins with the run."""

    atomic = False

    dependencies = [
        ("evaluations", "0002_longer_slices"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="evaluationitem",
                    name="run",
                    field=tenants.isolation.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="evaluations.evaluationrun",
                    ),
                ),
            ],
            database_operations=[DropColumnIndexes({"evaluations_evaluationitem": "run_id"})],
        ),
    ]
