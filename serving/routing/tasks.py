"""Tasks of routers."""

from uuid import UUID

from celery import shared_task

from serving.models import Router
from serving.routing.learning import TASK, learn
from tenants.scope import system_scope, tenant_scope


@shared_task(name=TASK)
def learn_router(tenant_id: str, router_id: str) -> None:
    """Teach one router's classifier and measure it, if it or its adapters have changed."""
    with tenant_scope(UUID(tenant_id)):
        learn(UUID(router_id))


@shared_task(name="serving.learn_routers")
def learn_routers() -> None:
    """Look at all routers: adapters may have been trained anew."""
    with system_scope():
        found = list(Router.objects.values_list("tenant_id", "id"))
    for tenant_id, router_id in found:
        learn_router.delay(str(tenant_id), str(router_id))
