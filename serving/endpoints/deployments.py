"""The states of a deployment, the moves between them, and the one function that makes a move."""

import re
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from adapters.models import AdapterVersion
from jobs.states import TERMINAL
from serving.backends.base import Package
from serving.endpoints.queries import backend_of
from serving.models import HELD, Deployment, DeploymentState, Endpoint, Promotion, Route, Trial, TrialState

_NAME = re.compile(r"[0-9a-f]{20}-[0-9a-f]{24}")

TRANSITIONS: dict[DeploymentState, frozenset[DeploymentState]] = {
    DeploymentState.CREATING: frozenset({DeploymentState.IN_SERVICE, DeploymentState.FAILED, DeploymentState.DELETED}),
    DeploymentState.IN_SERVICE: frozenset({DeploymentState.DRAINING, DeploymentState.FAILED, DeploymentState.DELETED}),
    # Promoting or rolling back to what still drains takes it back as it is.
    DeploymentState.DRAINING: frozenset({DeploymentState.IN_SERVICE, DeploymentState.DELETED}),
}


def deployment_name(tenant_id: UUID, sha256: str) -> str:
    """The name of a content at an endpoint: 45 characters of `[0-9a-f-]`, and nobody else's."""
    return f"{tenant_id.hex[:20]}-{sha256[:24]}"


def is_our_name(name: str) -> bool:
    """Whether a name at an endpoint was made by `deployment_name`; others are not ours to touch."""
    return _NAME.fullmatch(name) is not None


def package_of(version: AdapterVersion) -> Package:
    """What a backend needs to know of a version."""
    return Package(key=version.package_key, sha256=version.package_sha256)


def move(deployment: Deployment, to: DeploymentState, **changes: Any) -> bool:
    """Move `deployment` on from the state the caller saw, with one conditional UPDATE.

    False, and nothing written, when somebody else moved it meanwhile or there is no such move.
    """
    if to not in TRANSITIONS.get(DeploymentState(deployment.state), frozenset()):
        return False
    if to is DeploymentState.IN_SERVICE:
        changes = {"in_service_at": Now(), "drain_until": None, "error_text": "", **changes}
    if to is DeploymentState.DELETED:
        changes = {"deleted_at": Now(), **changes}
    rows = Deployment.objects.filter(id=deployment.id, state=deployment.state)
    if not rows.update(state=to, **changes):
        return False
    deployment.refresh_from_db()
    return True


@transaction.atomic
def hold_deployment(*, endpoint: Endpoint, version: AdapterVersion) -> Deployment:
    """The deployment of `version` that is held on `endpoint`, newly made where there is none.

    One that drains is given as long again, so that it is still there when the promotion has tried it.
    """
    deployment, _ = Deployment.objects.get_or_create(
        tenant_id=version.tenant_id,
        endpoint=endpoint,
        version=version,
        state__in=HELD,
        defaults={
            "name": deployment_name(version.tenant_id, version.package_sha256),
            "state": DeploymentState.CREATING,
        },
    )
    draining = Deployment.objects.filter(id=deployment.id, state=DeploymentState.DRAINING)
    draining.update(drain_until=timezone.now() + backend_of(endpoint).drain)
    return deployment


@transaction.atomic
def release(deployment: Deployment, *, to: DeploymentState, text: str = "") -> None:
    """Release an unused deployment, unless a route, another promotion or a trial still needs it.

    The reconciler then takes it off the endpoint.
    """
    # Of two promotions that end at once, the second one finds that the first has ended.
    locked = Deployment.objects.select_for_update().get(id=deployment.id)
    promoted = Promotion.objects.filter(deployment=locked).exclude(job=None).exclude(job__state__in=TERMINAL)
    tried = Trial.objects.filter(candidate=locked, state=TrialState.RUNNING)
    routed = Route.objects.filter(Q(active=locked) | Q(previous=locked))
    if not (routed.exists() or promoted.exists() or tried.exists()):
        move(deployment, to, error_text=text)
