"""Steps one job: claim it, let its kind act, record the outcome.

This is the only place that catches a kind's errors. A step that dies half-way is repeated by any worker once its lease
expires; the fence rejects writes from a worker that comes back late.
"""

import datetime as dt
from dataclasses import replace
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models.functions import Now

from jobs.ends import tell_of_end
from jobs.engine.lease import LeaseLost, claim, renewed, write
from jobs.kinds import Kind, get_kind
from jobs.models import Job
from jobs.outcomes import Failed, JobError, Outcome, Retry, Running, Stopped, Succeeded
from jobs.states import State, transition
from rest.errors import PortalError
from rest.tracing.spans import Attributes, spans
from tenants.scope import tenant_scope

log = structlog.get_logger(__name__)

UNEXPECTED = Retry(
    error=JobError(
        code="platform:unexpected",
        text="Something went wrong on our side. The operator has been notified.",
        temporary=True,
    ),
    after=10.0,
    same_attempt=True,
)


def step_job(job_id: UUID) -> Job | None:
    """Step the job if it is due and unclaimed. Returns the job afterwards, or None if there was nothing to do."""
    job = claim(job_id)
    if job is None:
        return None
    named = structlog.contextvars.bound_contextvars(job=str(job.id), kind=job.kind)
    with tenant_scope(job.tenant_id), named, spans().within(f"step {job.kind}", attributes=_traced(job)) as span:
        kind = get_kind(job.kind)
        try:
            outcome = _step(kind, job)
            try:
                _apply(kind, job, outcome)
            except LeaseLost:
                raise
            except Exception:
                # The kind's final writes were rolled back and the job is still active. We still hold its fence.
                log.exception("job_end_failed")
                job.refresh_from_db(fields=["state"])
                _apply(kind, job, UNEXPECTED)
        except LeaseLost:
            log.warning("job_lease_lost", fence=job.fence)
            span.fail("lease_lost")
        span.tell({"adapter_portal.job.state": job.state})
        return job


def _traced(job: Job) -> Attributes:
    return {
        "adapter_portal.tenant.id": str(job.tenant_id),
        "adapter_portal.job.id": str(job.id),
        "adapter_portal.job.kind": job.kind,
        "adapter_portal.job.attempt": job.attempt,
    }


def _step(kind: Kind, job: Job) -> Outcome:
    try:
        with renewed(job):
            return kind.cancel(job) if job.state == State.STOPPING else kind.step(job)
    except LeaseLost:
        raise
    except PortalError as error:
        return Failed(error=JobError(code=error.code, text=error.text))
    except Exception:
        log.exception("job_step_failed")
        return UNEXPECTED


def _apply(kind: Kind, job: Job, outcome: Outcome) -> None:
    if isinstance(outcome, Retry):
        outcome = _retry_or_fail(job, outcome)
    match outcome:
        case Running():
            changes = {"phase": outcome.phase, "fraction": outcome.fraction, "eta_seconds": outcome.eta_seconds}
            known = {k: v for k, v in changes.items() if v is not None}
            _release(job, outcome.after, **_columns(outcome.waits_for), **known)
        case Succeeded():
            _end(kind, job, State.SUCCEEDED, result=outcome.result, fraction=1.0, **_columns(None))
        case Failed():
            log.warning("job_failed", code=outcome.error.code)
            _end(kind, job, State.FAILED, **_columns(outcome.error))
        case Stopped():
            _end(kind, job, State.STOPPED, **_columns(None))


def _columns(error: JobError | None) -> dict[str, str]:
    return {"error_code": error.code, "error_text": error.text} if error else {"error_code": "", "error_text": ""}


def _retry_or_fail(job: Job, outcome: Retry) -> Running | Failed | Stopped:
    stopping = job.state == State.STOPPING
    if stopping and not outcome.same_attempt:
        return Stopped()
    if job.attempts_without_progress >= job.max_attempts:
        tried = f"{outcome.error.text} We tried {job.attempts_without_progress} times. Try again later."
        return Stopped() if stopping else Failed(error=replace(outcome.error, text=tried))
    log.warning("job_retries", code=outcome.error.code, attempt=job.attempt)
    begun = {} if outcome.same_attempt else {"attempt": job.attempt + 1, "external_name": "", "events_cursor": 0}
    write(job, attempts_without_progress=job.attempts_without_progress + 1, **begun)
    waits_for = replace(outcome.error, text=f"{outcome.error.text} We will try again.")
    return Running(after=outcome.after, phase="retrying", waits_for=waits_for)


def _release(job: Job, after: float, **changes: object) -> None:
    write(job, lease_expires_at=None, due_at=Now() + dt.timedelta(seconds=after), **changes)


def _end(kind: Kind, job: Job, state: State, **changes: object) -> None:
    """End the job and run its kind's final writes in one transaction."""
    hook = {State.SUCCEEDED: kind.on_succeeded, State.FAILED: kind.on_failed, State.STOPPED: kind.on_stopped}[state]
    try:
        with transaction.atomic():
            if not transition(job, state, fence=job.fence, **changes):
                raise LeaseLost
            hook(job)
            tell_of_end(job)
    except PortalError as error:
        if state is not State.SUCCEEDED:
            raise
        _end(kind, job, State.FAILED, error_code=error.code, error_text=error.text)
