"""The one step that every kind of compute job shares: submit under a name of our own, then observe."""

import hashlib
import tempfile
from abc import abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.db.models import F

from jobs.backends import compute
from jobs.backends.base import ComputeBackend, ComputeError, ComputeSpec, Observation, RunState
from jobs.events import record_events
from jobs.kinds import Kind
from jobs.models import Job
from jobs.outcomes import Failed, JobError, Outcome, Retry, Running, Stopped, Succeeded

LOST = JobError(
    code="platform:run_lost",
    text="The machine that ran this job went away. It goes on from its last checkpoint.",
    temporary=True,
)


def external_name(job: Job) -> str:
    """A run's name, known before it is submitted: at most 63 characters of `[a-z0-9-]`, one per attempt."""
    digest = hashlib.sha256(f"{job.tenant_id}/{job.id}/{job.attempt}".encode()).hexdigest()[:32]
    return f"{job.kind[:20].replace('_', '-')}-{digest}"


def checkpoint_key(job: Job) -> str:
    """The same for every attempt, so that a later one goes on where an earlier one was."""
    return str(job.id)


class ComputeKind(Kind):
    """A kind whose work is done by a compute backend."""

    poll_seconds: float = 2.0

    @abstractmethod
    def prepare(self, job: Job) -> ComputeSpec:
        """What to run; raises PortalError if the job's spec no longer holds."""

    @abstractmethod
    def collect(self, job: Job, result: dict[str, Any], folder: Path, backend: ComputeBackend) -> dict[str, Any]:
        """Bring the run's artifacts into storage and return the job's result. May run twice.

        `result` is the run's result document; `backend.fetch(job.external_name, name, folder / name)` gets a file.
        """

    def backend(self, spec: dict[str, Any]) -> str:
        return "default"

    def step(self, job: Job) -> Outcome:
        backend = compute[job.backend]
        try:
            if not job.external_name:
                self._name(job, backend)
            seen = backend.observe(job.external_name, job.events_cursor)
            if seen.state is RunState.MISSING:
                backend.submit(job.external_name, replace(self.prepare(job), checkpoint_key=checkpoint_key(job)))
                return Running(after=1.0, phase="starting")
            self._record(job, seen)
            return self._outcome(job, seen, backend)
        except ComputeError as error:
            known = JobError(code=error.code, text=error.text, temporary=error.temporary)
            return Retry(error=known) if error.temporary else Failed(error=known)

    def cancel(self, job: Job) -> Outcome:
        if not job.external_name:
            return Stopped()
        backend = compute[job.backend]
        seen = backend.observe(job.external_name, job.events_cursor)
        if seen.state is RunState.MISSING:
            return Stopped()
        self._record(job, seen)
        if seen.state is RunState.RUNNING:
            backend.cancel(job.external_name)
            return Running(after=1.0)
        return Stopped() if seen.state is RunState.LOST else self._outcome(job, seen, backend)

    def _name(self, job: Job, backend: ComputeBackend) -> None:
        # Stored before the call: whatever happens after, the next step finds the run by this name.
        job.external_name = external_name(job)
        job.usd_per_hour, job.price_source = backend.usd_per_hour, backend.price_source
        job.events_cursor = 0
        job.save(update_fields=["external_name", "events_cursor", "usd_per_hour", "price_source"])

    def _record(self, job: Job, seen: Observation) -> None:
        record_events(job=job, events=seen.events, cursor=seen.cursor)

    def _outcome(self, job: Job, seen: Observation, backend: ComputeBackend) -> Outcome:
        if seen.state is RunState.RUNNING:
            return Running(after=self.poll_seconds)
        self._bill(job, seen)
        if seen.state is RunState.SUCCEEDED:
            with tempfile.TemporaryDirectory() as folder:
                return Succeeded(result=self.collect(job, seen.result, Path(folder), backend))
        if seen.state is RunState.STOPPED:
            return Stopped()
        if seen.state is RunState.LOST:
            backend.discard(job.external_name)
            return Retry(error=LOST, after=1.0)
        error = seen.result.get("error", {})
        known = JobError(
            code=str(error.get("code", "platform:run_failed")),
            text=str(error.get("text", "The run failed without saying why.")),
            temporary=bool(error.get("temporary")),
        )
        if known.temporary:
            backend.discard(job.external_name)
            return Retry(error=known)
        return Failed(error=known)

    def _bill(self, job: Job, seen: Observation) -> None:
        """Add this attempt's seconds once: the condition holds for the first step that sees its end."""
        Job.objects.filter(id=job.id, billed_attempt__lt=job.attempt).update(
            billable_seconds=F("billable_seconds") + seen.billable_seconds, billed_attempt=job.attempt
        )
