"""Celery's part: hints to look at rows."""

from uuid import UUID

from celery import shared_task

from jobs.engine import step_job
from jobs.leftovers import discard_leftovers
from jobs.reconciler import jobs_to_step


@shared_task(name="jobs.reconcile")
def reconcile() -> None:
    """Wake every job that is due."""
    for job_id in jobs_to_step():
        step.delay(str(job_id))


@shared_task(name="jobs.discard_leftovers")
def discard() -> None:
    """Clear away what ended runs left."""
    discard_leftovers()


@shared_task(name="jobs.step")
def step(job_id: str) -> None:
    """Step one job."""
    step_job(UUID(job_id))
