import uuid

import django.db.models.deletion
from django.db import migrations, models

import tenants.isolation


class Migration(migrations.Migration):
    """Takes over the table that `tenants` created, with its name and row-level security. Does not change data."""

    initial = True

    dependencies = [
        ("tenants", "0004_object_removal_moves"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="ObjectRemoval",
                    fields=[
                        ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("key", models.CharField(max_length=300, unique=True)),
                        ("due_at", models.DateTimeField(db_index=True)),
                        (
                            "tenant",
                            tenants.isolation.OwnerKey(
                                editable=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="tenants.tenant",
                            ),
                        ),
                    ],
                    options={"db_table": "tenants_objectremoval"},
                ),
            ],
        ),
    ]
