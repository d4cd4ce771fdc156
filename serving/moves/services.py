"""Move a tenant to another endpoint."""

from django.db import transaction

from jobs.models import Job
from jobs.services import start_job, stop_job
from rest.errors import Conflict
from serving.models import Endpoint, Placement
from serving.moves.queries import MOVE, routes_elsewhere, unfinished_move
from tenants.audit.services import record_event
from tenants.models import Tenant


@transaction.atomic
def move_tenant(*, tenant: Tenant, to: Endpoint) -> Job:
    """Bring the active tenant's adapters of a base model to an endpoint of it, one by one, without a lost request.

    New promotions go there from now on; a move under way to elsewhere ends. Raises Conflict: move:not_in_service,
    move:already_there.
    """
    if not to.is_serving:
        raise Conflict(f"{to.name} is not in service.", code="move:not_in_service", field="endpoint")
    Tenant.objects.select_for_update().get(id=tenant.id)
    placement = Placement.objects.filter(base_model=to.base_model_id).select_related("endpoint").first()
    under_way = unfinished_move(to.base_model_id)
    # A move that failed can be tried again.
    is_there = under_way is not None or not routes_elsewhere(to).exists()
    if placement is not None and placement.endpoint_id == to.id and is_there:
        raise Conflict(f"{tenant} is on {to.name} already.", code="move:already_there", field="endpoint")
    if under_way is not None:
        stop_job(job_id=under_way.id)
    Placement.objects.update_or_create(base_model_id=to.base_model_id, defaults={"endpoint": to})
    job = start_job(
        tenant=tenant,
        kind=MOVE,
        title=f"Move to the endpoint {to.name}",
        spec={"endpoint": str(to.id), "base_model": str(to.base_model_id)},
    )
    before = {"endpoint": placement.endpoint.name} if placement else {}
    record_event("endpoint.moved", job, before=before, after={"endpoint": to.name})
    return job
