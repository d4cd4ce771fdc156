"""The pointer from an alias to its live deployment, and the one function that switches it."""

from django.db import transaction
from django.utils import timezone

from rest.errors import Conflict
from serving.endpoints.deployments import move
from serving.endpoints.queries import backend_of
from serving.models import Deployment, DeploymentState, Route, Trial, TrialState
from serving.trials.services import end_trial
from tenants.audit.services import record_event


@transaction.atomic
def switch_route(*, route: Route, to: Deployment) -> Route:
    """Make `to` live. The previous deployment drains, and can be rolled back to meanwhile.

    Raises Conflict when `to` is no longer able to answer. Switching to what is active changes nothing.
    """
    locked = Route.objects.select_for_update().get(id=route.id)
    if locked.active_id == to.id:
        return locked
    # The deployment's state and the pointer change together, so the reconciler never deletes what just became active.
    live = Deployment.objects.select_for_update().get(id=to.id)
    if live.state == DeploymentState.DRAINING:
        move(live, DeploymentState.IN_SERVICE)
    if live.state != DeploymentState.IN_SERVICE:
        raise Conflict(
            "This deployment is no longer on the endpoint. Promote the version again.",
            code="promotion:deployment_gone",
        )
    replaced: Deployment | None = locked.active
    if replaced is not None:
        drain = backend_of(replaced.endpoint).drain
        move(replaced, DeploymentState.DRAINING, drain_until=timezone.now() + drain)
        if replaced.is_pinned and replaced.endpoint_id == live.endpoint_id:
            # A pin is the model ID's, whichever version answers.
            Deployment.objects.filter(id=live.id).update(is_pinned=True)
        Deployment.objects.filter(id=replaced.id).update(is_pinned=False)
    Route.objects.filter(id=locked.id).update(active=live, previous=replaced, switched_at=timezone.now())
    locked.refresh_from_db()
    for trial in Trial.objects.filter(adapter=locked.adapter_id, state=TrialState.RUNNING):
        # It compares with a version that is no longer live.
        end_trial(trial, TrialState.STOPPED)
    record_event(
        "route.switched",
        locked,
        before={"version": str(replaced.version)} if replaced else {},
        after={"version": str(live.version)},
    )
    return locked
