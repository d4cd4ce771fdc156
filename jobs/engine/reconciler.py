"""Finds the jobs that need a step. It relies on rows alone, so a lost, late or repeated message does no harm."""

from uuid import UUID

from jobs.models import Job
from jobs.queue.admission import admit
from tenants.scope import system_scope


def jobs_to_step(*, limit: int = 200) -> list[UUID]:
    """Start queued jobs that may start, then return the ids of up to `limit` due jobs, longest overdue first."""
    admit()
    with system_scope():
        return list(Job.objects.due().order_by("due_at").values_list("id", flat=True)[:limit])
