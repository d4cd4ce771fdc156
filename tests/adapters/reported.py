"""Events as a run reports them, written without running one."""

from typing import Any

from django.utils import timezone

from adapters.models import TrainingRun
from jobs.models import Job, JobEvent
from jobs.states import State


def report(run: TrainingRun, *events: tuple[str, dict[str, Any]]) -> None:
    """Append events, given as (type, data), to the run's job."""
    before = JobEvent.objects.filter(job=run.job).count()
    JobEvent.objects.bulk_create(
        JobEvent(job=run.job, attempt=1, seq=before + number, at=timezone.now(), type=kind, data=data)
        for number, (kind, data) in enumerate(events, start=1)
    )


def loss(step: int, value: float, **more: float) -> tuple[str, dict[str, Any]]:
    """A metric event of a run of 100 steps."""
    return "metric", {"step": step, "total": 100, "fraction": step / 100, "loss": value, **more}


def end(run: TrainingRun, state: State) -> None:
    """Let the run's job be in that state."""
    Job.objects.filter(id=run.job_id).update(state=state)
    run.job.refresh_from_db()
