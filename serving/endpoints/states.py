"""The states of an endpoint, the moves between them, and the one function that makes a move."""

from typing import Any

from django.db.models.functions import Now

from serving.models import Endpoint, EndpointState

TRANSITIONS: dict[EndpointState, frozenset[EndpointState]] = {
    EndpointState.CREATING: frozenset({EndpointState.IN_SERVICE, EndpointState.FAILED, EndpointState.DELETING}),
    EndpointState.IN_SERVICE: frozenset({EndpointState.CREATING, EndpointState.CHANGING, EndpointState.DELETING}),
    # A change that fails leaves what there was.
    EndpointState.CHANGING: frozenset({EndpointState.IN_SERVICE, EndpointState.DELETING}),
    EndpointState.DELETING: frozenset({EndpointState.DELETED, EndpointState.FAILED}),
    EndpointState.DELETED: frozenset({EndpointState.CREATING, EndpointState.IN_SERVICE}),
    EndpointState.FAILED: frozenset({EndpointState.CREATING, EndpointState.DELETING}),
}


def move_endpoint(endpoint: Endpoint, to: EndpointState, **changes: Any) -> bool:
    """Move `endpoint` on from the state the caller saw, with one conditional UPDATE.

    False, and nothing written, when somebody else moved it meanwhile or there is no such move.
    """
    if to not in TRANSITIONS[EndpointState(endpoint.state)]:
        return False
    rows = Endpoint.objects.filter(id=endpoint.id, state=endpoint.state)
    changes = {"doing": "", "error_text": "", "state_since": Now(), **changes}
    if not rows.update(state=to, **changes):
        return False
    endpoint.refresh_from_db()
    return True
