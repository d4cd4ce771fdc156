"""Makes, changes and deletes endpoints, a short step at a time, until what was wanted is there."""

import datetime as dt
from collections.abc import Callable

import structlog
from django.db import transaction
from django.utils import timezone

from serving.backends.base import EndpointBackend, Waiting
from serving.backends.errors import EndpointError
from serving.endpoints.deployments import is_our_name, move
from serving.endpoints.queries import EndpointNotSetUp, backend_of
from serving.endpoints.states import move_endpoint
from serving.models import HELD, Deployment, DeploymentState, Endpoint, EndpointState, Route
from tenants.scope import system_scope

PATIENCE = dt.timedelta(hours=2)
"""A large model is an hour in coming."""

VERBS = {EndpointState.CREATING: "create", EndpointState.CHANGING: "update", EndpointState.DELETING: "delete"}
"""What a state that passes does."""

log = structlog.get_logger(__name__)


def advance(endpoint: Endpoint, *, tell: Callable[[str], object] | None = None) -> None:
    """Do what can be done at once, `tell` each line of it, and note what is waited for.

    Safe to call again, and from two processes.
    """
    state = EndpointState(endpoint.state)
    if state not in VERBS:
        return
    try:
        if _is_done(endpoint, VERBS[state], tell):
            if state is EndpointState.DELETING:
                _deleted(endpoint)
            else:
                move_endpoint(endpoint, EndpointState.IN_SERVICE)
            return
        error = ""
    except EndpointError as caught:
        error = caught.text
        log.warning("endpoint_not_made", endpoint=endpoint.name, doing=VERBS[state], code=caught.code)
        if not caught.temporary:
            _give_up(endpoint, error)
            return
    except (EndpointNotSetUp, ValueError) as caught:
        # Its options were checked when they were written, so the settings have changed since.
        _give_up(endpoint, f"The settings are not complete. {caught}")
        return
    if timezone.now() - endpoint.state_since > PATIENCE:
        _give_up(endpoint, error or f"It took too long: {endpoint.doing}")
    else:
        Endpoint.objects.filter(id=endpoint.id, state=state).update(error_text=error)
        endpoint.refresh_from_db()


def _is_done(endpoint: Endpoint, verb: str, tell: Callable[[str], object] | None) -> bool:
    """False where something is waited for. Raises EndpointError, or ValueError for options that are not complete."""
    backend = backend_of(endpoint)
    provision = backend.provision()
    if provision is None:
        if endpoint.state == EndpointState.DELETING:
            _empty(endpoint, backend)
        return True
    for line in getattr(provision, verb)():
        if line != endpoint.doing:
            Endpoint.objects.filter(id=endpoint.id, state=endpoint.state).update(doing=line[:200])
            endpoint.doing = line[:200]
            if tell:
                tell(line)
        if isinstance(line, Waiting):
            return False
    return True


def _empty(endpoint: Endpoint, backend: EndpointBackend) -> None:
    """Take our adapters off a server that goes on for others; one that is gone has none."""
    try:
        for name in filter(is_our_name, backend.list()):
            backend.delete(name)
    except EndpointError as error:
        log.warning("endpoint_not_emptied", endpoint=endpoint.name, code=error.code)


@transaction.atomic
def _deleted(endpoint: Endpoint) -> None:
    """What was live stays on record, to come back if the endpoint is made again; nothing drains any more."""
    if not move_endpoint(endpoint, EndpointState.DELETED):
        return
    with system_scope():
        live = Route.objects.filter(active__endpoint=endpoint).values("active")
        for deployment in Deployment.objects.filter(endpoint=endpoint, state__in=HELD).exclude(id__in=live):
            move(deployment, DeploymentState.DELETED)


def _give_up(endpoint: Endpoint, text: str) -> None:
    """A change that fails leaves the endpoint as it was."""
    kept = EndpointState.IN_SERVICE if endpoint.state == EndpointState.CHANGING else EndpointState.FAILED
    move_endpoint(endpoint, kept, error_text=text)
