"""The first endpoint of each base model becomes its default, and tenants stay where their adapters are."""

from django.db import migrations

from tenants.scope import system_scope


def fill(apps, schema_editor):
    endpoints, routes = apps.get_model("serving", "Endpoint").objects, apps.get_model("serving", "Route").objects
    placements = apps.get_model("serving", "Placement").objects
    with_default = set()
    for endpoint in endpoints.order_by("name"):
        if endpoint.base_model_id not in with_default:
            with_default.add(endpoint.base_model_id)
            endpoints.filter(id=endpoint.id).update(is_default=True)
    with system_scope():
        live = routes.exclude(active=None).order_by("switched_at")
        for tenant_id, base_id, endpoint_id in live.values_list(
            "tenant_id", "active__endpoint__base_model", "active__endpoint"
        ):
            placements.update_or_create(
                tenant_id=tenant_id, base_model_id=base_id, defaults={"endpoint_id": endpoint_id}
            )


class Migration(migrations.Migration):
    dependencies = [("serving", "0005_placements")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
