"""Finds the jobs that need a step. It reads rows only, so a lost, late or repeated message costs nothing."""

from uuid import UUID

from jobs.admission import admit
from jobs.models import Job
from tenants.scope import system_scope


def jobs_to_step(*, limit: int = 200) -> list[UUID]:
    """Start what may start, then name every job that is due, longest overdue first."""
    admit()
    with system_scope():
        return list(Job.objects.due().order_by("due_at").values_list("id", flat=True)[:limit])
