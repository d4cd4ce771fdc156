"""The pointer from an alias to its live deployment, and the one function that switches it."""

from django.db import transaction
from django.utils import timezone

from rest.errors import Conflict
from serving.endpoints.deployments import move
from serving.endpoints.queries import backend_of
from serving.models import Deployment, DeploymentState, Route, Trial, TrialState
from serving.trials.services import end_trial
from tenants.audit.services import record_event
from tenants.webhooks.kinds import EventKind
from tenants.webhooks.services import publish

SWITCHED = EventKind(
    name="model.switched",
    title="A version went live, by a promotion or a rollback",
    example={
        "model": "clause-summary",
        "live": {"version": "5b0cbf7e-3b1b-4d59-8d0f-3f6f1f0a2c11", "number": 4},
        "before": {"version": "0e3b7f0e-2c0d-4c1b-9d66-6a9d0b9d8c55", "number": 3},
    },
)


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
    publish(SWITCHED.name, {"model": locked.alias, "live": _told(live), "before": _told(replaced)})
    return locked


def _told(deployment: Deployment | None) -> dict[str, object] | None:
    version = deployment.version if deployment else None
    return {"version": str(version.id), "number": version.number} if version else None
