"""Tasks of routers."""

from uuid import UUID

import structlog
from celery import shared_task

from serving.models import Router
from serving.routing import publishing
from serving.routing.learning import TASK, learn
from storage.errors import StorageUnavailable
from tenants.models import Tenant
from tenants.scope import system_scope, tenant_scope

log = structlog.get_logger(__name__)


# An encoder may have thousands of prompts to read. Below the time after which a message is delivered again.
@shared_task(name=TASK, soft_time_limit=240, time_limit=270)
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


@shared_task(name="serving.publish_routes")
def publish_routes() -> None:
    """Store what has changed of the routes that the front in AWS reads, if there is one."""
    if not publishing.is_wanted():
        return
    with system_scope():
        tenants = list(Tenant.objects.all())
    for tenant in tenants:
        with tenant_scope(tenant.id):
            try:
                publishing.publish(tenant)
            except StorageUnavailable:
                log.warning("routes_not_published", tenant=str(tenant.id))
