"""Clears away what ended runs left with their backend: copies of customers' rows, checkpoints, logs."""

import datetime as dt

from django.utils import timezone

from jobs.backends import compute
from jobs.compute import checkpoint_key, external_name
from jobs.models import Job
from tenants.scope import system_scope, tenant_scope

KEPT = dt.timedelta(hours=1)
"""How long an ended run can still be looked at by the operator."""


def discard_leftovers(*, limit: int = 100) -> int:
    """Discard the runs of jobs that ended more than `KEPT` ago; how many. May run twice."""
    with system_scope():
        jobs = list(Job.objects.with_leftovers(ended_before=timezone.now() - KEPT)[:limit])
    for job in jobs:
        with tenant_scope(job.tenant_id):
            key = "" if _was_resumed(job) else checkpoint_key(job)
            for attempt in range(1, job.attempt + 1):
                compute[job.backend].discard(external_name(job, attempt), checkpoint_key=key)
            Job.objects.filter(id=job.id).update(run_discarded=True)
    return len(jobs)


def _was_resumed(job: Job) -> bool:
    """Whether a later job took over its checkpoints, which are then that one's to discard."""
    later = Job.objects.filter(kind=job.kind, created_at__gt=job.created_at)
    return later.filter(spec__checkpoint_of=checkpoint_key(job)).exists()
