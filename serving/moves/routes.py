"""The switch of an alias from one endpoint to another, which changes no version."""

import datetime as dt

from django.db import transaction
from django.utils import timezone

from serving.endpoints.deployments import move
from serving.endpoints.queries import backend_of
from serving.models import Deployment, DeploymentState, Route
from tenants.audit.services import record_event


@transaction.atomic
def switch_endpoint(*, seen: Route, active: Deployment, previous: Deployment | None) -> bool:
    """Let an alias be answered by the same versions on another endpoint; False if it was switched meanwhile."""
    route = Route.objects.select_for_update().get(id=seen.id)
    if (route.active_id, route.previous_id) != (seen.active_id, seen.previous_id):
        return False
    held = Deployment.objects.select_for_update().get(id=active.id)
    if held.state == DeploymentState.DRAINING:
        move(held, DeploymentState.IN_SERVICE)
    if held.state != DeploymentState.IN_SERVICE:
        return False
    drain_until = timezone.now() + backend_of(seen.active.endpoint).drain
    move(route.active, DeploymentState.DRAINING, drain_until=drain_until)
    if previous is not None:
        until: dt.datetime = seen.previous.drain_until or drain_until
        move(previous, DeploymentState.DRAINING, drain_until=until)
    Route.objects.filter(id=route.id).update(active=held, previous=previous or route.previous)
    after = {"endpoint": held.endpoint.name, "version": str(held.version)}
    record_event("route.moved", route, before={"endpoint": seen.active.endpoint.name}, after=after)
    return True
