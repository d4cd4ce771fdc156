"""The states of a job, the transitions between them, and the one function that makes a transition."""

from typing import Any, Protocol
from uuid import UUID

from django.db import models
from django.db.models.functions import Now


class State(models.TextChoices):
    """A job in `stopping` has been asked to stop and has not ended yet."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    STOPPING = "stopping", "Stopping"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    STOPPED = "stopped", "Stopped"


ACTIVE = frozenset({State.RUNNING, State.STOPPING})
TERMINAL = frozenset({State.SUCCEEDED, State.FAILED, State.STOPPED})

TRANSITIONS: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.RUNNING, State.STOPPED}),
    State.RUNNING: frozenset({State.STOPPING, State.SUCCEEDED, State.FAILED}),
    # A job that ends just as it is asked to stop keeps its result.
    State.STOPPING: frozenset({State.STOPPED, State.SUCCEEDED, State.FAILED}),
}


class Stateful(Protocol):
    """The part of `jobs.models.Job` that `transition` needs."""

    id: UUID
    tenant_id: UUID
    objects: Any

    def refresh_from_db(self) -> None: ...


def transition(job: Stateful, to: State, *, fence: int | None = None, **changes: Any) -> bool:
    """Move `job` to `to` with one conditional UPDATE. Returns False if another process moved it first.

    `fence` also requires that the caller still holds the lease it claimed. `changes` are other columns to set in the
    same statement. On success, `job` is refreshed from the database.
    """
    sources = [source for source, targets in TRANSITIONS.items() if to in targets]
    rows = type(job).objects.filter(id=job.id, state__in=sources, tenant_id=job.tenant_id)
    if fence is not None:
        rows = rows.filter(fence=fence)
    if to is State.RUNNING:
        changes.setdefault("started_at", Now())
        changes.setdefault("due_at", Now())
    if to in TERMINAL:
        changes = {"finished_at": Now(), "lease_expires_at": None, "eta_seconds": None, **changes}
    if not rows.update(state=to, **changes):
        return False
    job.refresh_from_db()
    return True
