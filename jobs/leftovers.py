"""Clears away what ended runs left with their backend: copies of customers' rows, checkpoints, logs."""

import datetime as dt

from django.utils import timezone

from jobs.backends import compute
from jobs.compute import checkpoint_key
from jobs.models import Job
from tenants.scope import system_scope, tenant_scope

KEPT = dt.timedelta(hours=1)
"""How long an ended run can still be looked at by the operator."""


def discard_leftovers(*, limit: int = 100) -> int:
    """Discard the runs of jobs that ended more than `KEPT` ago; how many. May run twice."""
    with system_scope():
        jobs = list(Job.objects.with_leftovers(ended_before=timezone.now() - KEPT)[:limit])
    for job in jobs:
        compute[job.backend].discard(job.external_name, checkpoint_key=checkpoint_key(job))
        with tenant_scope(job.tenant_id):
            Job.objects.filter(id=job.id).update(run_discarded=True)
    return len(jobs)
