"""Every write to jobs on behalf of a person or another app."""

from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from jobs.ends import tell_of_end
from jobs.kinds import get_kind
from jobs.messages.hints import look_at_job, look_at_queue
from jobs.models import Job
from jobs.states import State, transition
from rest.errors import Conflict, NotFound
from tenants.audit.services import record_event
from tenants.models import Tenant, User


def start_job(*, tenant: Tenant, kind: str, title: str, spec: dict[str, Any], created_by: User | None = None) -> Job:
    """Queue a job; it starts when its turn comes. `spec` never changes afterwards."""
    handler = get_kind(kind)
    job = Job.objects.create(
        tenant=tenant,
        kind=kind,
        title=title[:160],
        spec=spec,
        backend=handler.backend(spec),
        cost_units=handler.cost_units(spec),
        max_attempts=handler.max_attempts,
        created_by=created_by,
    )
    transaction.on_commit(look_at_queue)
    return job


def wake_jobs(*, kind: str, waits_for: str) -> None:
    """Step the active jobs of a kind within seconds that wait with the error code `waits_for`."""
    Job.objects.active().filter(kind=kind, error_code=waits_for).update(due_at=Now())


@transaction.atomic
def stop_job(*, job_id: UUID) -> Job:
    """Ask a job to stop. A queued job stops immediately, a running one within seconds. Safe to call twice.

    Raises NotFound, or Conflict if the job succeeded or failed.
    """
    job = Job.objects.filter(id=job_id).first()
    if job is None:
        raise NotFound("Job not found.")
    if job.state == State.QUEUED:
        with transaction.atomic():
            if transition(job, State.STOPPED):
                get_kind(job.kind).on_stopped(job)
                tell_of_end(job)
                record_event("job.stopped", job)
                return job
    if transition(job, State.STOPPING, due_at=job.created_at):
        record_event("job.stopped", job)
        transaction.on_commit(partial(look_at_job, job.id))
        return job
    # The job changed state, perhaps after it was read. Its current state decides.
    job.refresh_from_db()
    if job.state not in {State.STOPPING, State.STOPPED}:
        raise Conflict(f"This job has already {job.get_state_display().lower()}.", code="job:already_ended")
    return job
