"""Celery tasks of jobs."""

import time
from uuid import UUID

from celery import shared_task

from jobs.compute.leftovers import discard_leftovers
from jobs.engine.reconciler import jobs_to_step
from jobs.engine.steps import step_job
from jobs.messages.hints import look_at_job, queue_is_looked_at
from jobs.queue.admission import admit

OWN_SECONDS = 15.0
"""How long a worker goes from job to job before it reads its messages again; well within the lease of a local run."""


@shared_task(name="jobs.reconcile")
def reconcile() -> None:
    """Wake every job that is due."""
    for job_id in jobs_to_step():
        look_at_job(job_id)


@shared_task(name="jobs.admit")
def start_queued() -> None:
    """Start the queued jobs that may start now."""
    queue_is_looked_at()
    for job in admit():
        look_at_job(job.id)


@shared_task(name="jobs.step")
def step(job_id: str) -> None:
    """Step one job. If it ends, this worker steps the job that takes its place without waiting for a message."""
    until = time.monotonic() + OWN_SECONDS
    job = step_job(UUID(job_id))
    while job is not None and job.is_terminal:
        admitted = [started.id for started in admit()]
        mine = admitted.pop(0) if admitted and time.monotonic() < until else None
        for other in admitted:
            look_at_job(other)
        job = step_job(mine) if mine else None


@shared_task(name="jobs.discard_leftovers")
def discard() -> None:
    """Delete what ended runs left behind."""
    discard_leftovers()
