from django.db import migrations


class Migration(migrations.Migration):
    """Hands the table over to the app `storage`, which takes it unchanged."""

    dependencies = [
        ("tenants", "0003_object_removal"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel(name="ObjectRemoval")]),
    ]
