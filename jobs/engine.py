"""Makes one step of one job: claim it, let its kind act, write down what came of it.

This is the only place that catches a kind's errors. A step that dies half-way is made again once its lease is over,
by whoever comes first; the fence makes a late writer lose.
"""

import datetime as dt
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from jobs.kinds import Kind, get_kind
from jobs.models import Job
from jobs.outcomes import Failed, JobError, Outcome, Retry, Running, Stopped, Succeeded
from jobs.states import State, transition
from tenants.errors import PortalError
from tenants.scope import system_scope, tenant_scope

log = structlog.get_logger(__name__)

LEASE = dt.timedelta(seconds=150)
"""Longer than a task's hard time limit, so that a lease never ends under a live step."""

UNEXPECTED = JobError(
    code="platform:unexpected",
    text="Something went wrong on our side. We try again, and the operator has been told.",
    temporary=True,
)


def step_job(job_id: UUID) -> Outcome | None:
    """Step the job if it is due and free; None when there was nothing to do."""
    job = claim(job_id)
    if job is None:
        return None
    with tenant_scope(job.tenant_id), structlog.contextvars.bound_contextvars(job=str(job.id), kind=job.kind):
        kind = get_kind(job.kind)
        outcome = _step(kind, job)
        try:
            _apply(kind, job, outcome)
        except Exception:
            # What the kind writes at the end was rolled back, and the job is still active.
            log.exception("job_end_failed")
            job.refresh_from_db()
            _apply(kind, job, Retry(error=UNEXPECTED, after=10.0))
        return outcome


def claim(job_id: UUID) -> Job | None:
    """Take the lease of a due job with a new fence, by database time; None if it is not ours to step."""
    with system_scope(), transaction.atomic():
        claimed = Job.objects.due().filter(id=job_id)
        if not claimed.update(fence=F("fence") + 1, lease_expires_at=Now() + LEASE):
            return None
        return Job.objects.get(id=job_id)


def _step(kind: Kind, job: Job) -> Outcome:
    try:
        return kind.cancel(job) if job.state == State.STOPPING else kind.step(job)
    except PortalError as error:
        return Failed(error=JobError(code=error.code, text=error.text))
    except Exception:
        log.exception("job_step_failed")
        return Retry(error=UNEXPECTED, after=10.0)


def _apply(kind: Kind, job: Job, outcome: Outcome) -> None:
    if isinstance(outcome, Retry):
        outcome = _retry_or_fail(job, outcome)
    match outcome:
        case Running():
            changes = {"phase": outcome.phase, "fraction": outcome.fraction, "eta_seconds": outcome.eta_seconds}
            _release(job, outcome.after, **{k: v for k, v in changes.items() if v is not None})
        case Succeeded():
            _end(kind, job, State.SUCCEEDED, result=outcome.result, fraction=1.0)
        case Failed():
            log.warning("job_failed", code=outcome.error.code)
            _end(kind, job, State.FAILED, error_code=outcome.error.code, error_text=outcome.error.text)
        case Stopped():
            _end(kind, job, State.STOPPED)


def _retry_or_fail(job: Job, outcome: Retry) -> Running | Failed | Stopped:
    if job.state == State.STOPPING:
        return Stopped()
    if job.attempt >= job.max_attempts:
        return Failed(error=outcome.error)
    log.warning("job_retries", code=outcome.error.code, attempt=job.attempt)
    Job.objects.filter(id=job.id, fence=job.fence).update(
        attempt=F("attempt") + 1, external_name="", events_cursor=0, error_code=outcome.error.code
    )
    return Running(after=outcome.after, phase="retrying")


def _release(job: Job, after: float, **changes: object) -> None:
    due = Now() + dt.timedelta(seconds=after)
    Job.objects.filter(id=job.id, fence=job.fence).update(lease_expires_at=None, due_at=due, **changes)


def _end(kind: Kind, job: Job, state: State, **changes: object) -> None:
    """End the job and write what follows from it, together or not at all."""
    hook = {State.SUCCEEDED: kind.on_succeeded, State.FAILED: kind.on_failed, State.STOPPED: kind.on_stopped}[state]
    try:
        with transaction.atomic():
            if transition(job, state, fence=job.fence, **changes):
                hook(job)
    except PortalError as error:
        if state is State.SUCCEEDED:
            _end(kind, job, State.FAILED, error_code=error.code, error_text=error.text)
        else:
            raise
