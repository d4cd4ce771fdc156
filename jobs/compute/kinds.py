"""The step that all kinds of compute job share: submit under a chosen name, then observe."""

import errno
import hashlib
import tempfile
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog
from django.db.models import F

from jobs.backends import compute
from jobs.backends.base import ComputeBackend, ComputeError, ComputeSpec, Observation, RunState, Unavailable
from jobs.compute.events import record_events
from jobs.engine.lease import write
from jobs.kinds import Kind
from jobs.models import Job
from jobs.outcomes import Failed, JobError, Outcome, Retry, Running, Stopped, Succeeded
from jobs.prices import price_of
from jobs.states import State
from lorakit.disk import DISK_FULL
from storage.errors import StorageUnavailable

log = structlog.get_logger(__name__)

STORAGE_AWAY = "Storage is temporarily unavailable. Nothing is lost, and the job will continue automatically."

LOST = JobError(
    code="platform:run_lost",
    text="The machine that ran this job was lost.",
    temporary=True,
)
STOPPED_ELSEWHERE = JobError(
    code="run:stopped_elsewhere",
    text="This run was stopped outside the portal. Ask your site’s operator why, then resume it or start it again.",
)


def external_name(job: Job, attempt: int) -> str:
    """The name of an attempt's run, known before it is submitted: at most 63 characters of `[a-z0-9-]`."""
    digest = hashlib.sha256(f"{job.tenant_id}/{job.id}/{attempt}".encode()).hexdigest()[:32]
    return f"{job.kind[:20].replace('_', '-')}-{digest}"


def checkpoint_key(job: Job) -> str:
    """The key of a job's checkpoints. It is the same for every attempt, so that a later one resumes an earlier one.

    A job whose spec names another job in `checkpoint_of` resumes that job's checkpoints.
    """
    return str(job.spec.get("checkpoint_of", job.id))


class ComputeKind(Kind):
    """A kind whose work is done by a compute backend."""

    poll_seconds: float = 2.0

    @abstractmethod
    def prepare(self, job: Job) -> ComputeSpec:
        """What to run. Raises PortalError if the job's spec is no longer valid."""

    @abstractmethod
    def collect(self, job: Job, result: dict[str, Any], folder: Path, backend: ComputeBackend) -> dict[str, Any]:
        """Copy the run's artifacts to storage and return the job's result. May run twice.

        `result` is the run's result document; `backend.fetch(job.external_name, name, folder / name)` gets a file.
        """

    def backend(self, spec: dict[str, Any]) -> str:
        return "default"

    def step(self, job: Job) -> Outcome:
        return self._act(job, self._look)

    def cancel(self, job: Job) -> Outcome:
        return self._act(job, self._stop) if job.external_name else Stopped()

    def _look(self, job: Job, backend: ComputeBackend) -> Outcome:
        if not job.external_name:
            self._name(job, backend)
        seen = backend.observe(job.external_name, job.events_cursor)
        if seen.state is RunState.MISSING:
            backend.submit(job.external_name, self._spec(job))
            return Running(after=1.0, phase="starting")
        record_events(job=job, events=seen.events, cursor=seen.cursor)
        return self._outcome(job, seen, backend)

    def _stop(self, job: Job, backend: ComputeBackend) -> Outcome:
        seen = backend.observe(job.external_name, job.events_cursor)
        if seen.state is RunState.MISSING:
            return Stopped()
        record_events(job=job, events=seen.events, cursor=seen.cursor)
        if seen.state is RunState.RUNNING:
            backend.cancel(job.external_name)
            return Running(after=1.0)
        return self._outcome(job, seen, backend)

    def _act(self, job: Job, act: Callable[[Job, ComputeBackend], Outcome]) -> Outcome:
        """Run `act` and return its outcome. If the backend is unavailable, wait and keep the attempt, name and run."""
        try:
            # A job names its machine where its base model has one of its own.
            return act(job, compute[job.backend].on(str(job.spec.get("machine", ""))))
        except Unavailable as error:
            return _wait(error)
        except StorageUnavailable as error:
            return _wait(Unavailable(error.code, STORAGE_AWAY))
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            return _wait(Unavailable(DISK_FULL.code, DISK_FULL.text))
        except ComputeError as error:
            if job.state == State.STOPPING:
                # If the job were given up, its run would continue and cost money until it ends by itself.
                return _wait(Unavailable(error.code, error.text, after=60.0))
            known = _known(error)
            return Retry(error=known) if known.temporary else Failed(error=known)

    def _spec(self, job: Job) -> ComputeSpec:
        spec = self.prepare(job)
        tags = {"tenant": str(job.tenant_id), "job": str(job.id), "attempt": str(job.attempt), "kind": job.kind}
        return replace(spec, checkpoint_key=checkpoint_key(job), tags=spec.tags | tags)

    def _name(self, job: Job, backend: ComputeBackend) -> None:
        if job.attempt > 1:
            # Discarding waits until now: if a worker discarded a lost attempt and then died, the next step would start
            # the same attempt again.
            try:
                backend.discard(external_name(job, job.attempt - 1))
            except ComputeError as error:
                # It is discarded with everything else once the job has ended; this attempt does not depend on it.
                log.warning("lost_attempt_kept", code=error.code, reason=error.text)
        # Stored before the call, so that the next step finds the run by this name whatever happens.
        price = price_of(backend)
        write(
            job,
            external_name=external_name(job, job.attempt),
            events_cursor=0,
            usd_per_hour=price.usd,
            price_source=price.source,
        )

    def _outcome(self, job: Job, seen: Observation, backend: ComputeBackend) -> Outcome:
        if seen.state is RunState.RUNNING:
            return Running(after=max(self.poll_seconds, backend.poll_seconds))
        self._bill(job, seen)
        if seen.state is RunState.SUCCEEDED:
            return self._collected(job, seen, backend)
        if seen.state is RunState.STOPPED:
            return Stopped() if job.state == State.STOPPING else Failed(error=STOPPED_ELSEWHERE)
        if seen.state is RunState.LOST:
            return Retry(error=LOST, after=1.0)
        error = seen.result.get("error", {})
        known = JobError(
            code=str(error.get("code", "platform:run_failed")),
            text=str(error.get("text", "The run failed without giving a reason.")),
            temporary=bool(error.get("temporary")),
        )
        return Retry(error=known) if known.temporary else Failed(error=known)

    def _collected(self, job: Job, seen: Observation, backend: ComputeBackend) -> Outcome:
        try:
            with tempfile.TemporaryDirectory() as folder:
                return Succeeded(result=self.collect(job, seen.result, Path(folder), backend))
        except Unavailable:
            raise
        except ComputeError as error:
            # The run succeeded, so it is not repeated; only its artifacts are fetched again.
            known = _known(error)
            return Retry(error=known, same_attempt=True) if known.temporary else Failed(error=known)

    def _bill(self, job: Job, seen: Observation) -> None:
        """Add this attempt's seconds exactly once: the condition holds only for the first step that sees its end."""
        Job.objects.filter(id=job.id, billed_attempt__lt=job.attempt).update(
            billable_seconds=F("billable_seconds") + seen.billable_seconds, billed_attempt=job.attempt
        )


def _known(error: ComputeError) -> JobError:
    return JobError(code=error.code, text=error.text, temporary=error.temporary)


def _wait(error: Unavailable) -> Running:
    return Running(after=error.after, waits_for=_known(error))
