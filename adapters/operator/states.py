"""The states of long work on a base model, the moves between them, and the one function that makes a move."""

from typing import Any

from django.db.models.functions import Now

from adapters.models import BaseModelWork, WorkState

TRANSITIONS: dict[WorkState, frozenset[WorkState]] = {
    WorkState.WAITING: frozenset({WorkState.RUNNING, WorkState.STOPPED}),
    # To itself where another process goes on.
    WorkState.RUNNING: frozenset({WorkState.RUNNING, WorkState.DONE, WorkState.FAILED, WorkState.STOPPED}),
    WorkState.DONE: frozenset(),
    WorkState.FAILED: frozenset({WorkState.WAITING}),
    WorkState.STOPPED: frozenset({WorkState.WAITING}),
}


def move_work(work: BaseModelWork, to: WorkState, **changes: Any) -> bool:
    """Move `work` on from the state and fence that the caller saw, with one conditional UPDATE.

    False, and nothing written, when somebody else moved it meanwhile or there is no such move.
    """
    if to not in TRANSITIONS[WorkState(work.state)]:
        return False
    rows = BaseModelWork.objects.filter(id=work.id, state=work.state, fence=work.fence)
    if not rows.update(state=to, **{"state_since": Now(), "doing": "", "error_text": "", **changes}):
        return False
    work.refresh_from_db()
    return True
