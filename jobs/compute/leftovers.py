"""Deletes what ended runs left in their backend: copies of customers' rows, checkpoints, logs."""

import datetime as dt

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.utils import timezone

from jobs.backends import compute
from jobs.compute.kinds import checkpoint_key, external_name
from jobs.kinds import get_kind
from jobs.models import Job
from tenants.scope import system_scope, tenant_scope

log = structlog.get_logger(__name__)

KEPT = dt.timedelta(hours=1)
"""How long the operator can still inspect an ended run."""


def discard_leftovers(*, limit: int = 100) -> int:
    """Discard the runs of jobs that ended more than `KEPT` ago. Returns the number of jobs. Safe to call twice."""
    with system_scope():
        # In random order; otherwise jobs whose runs cannot be discarded would come first every time.
        jobs = list(Job.objects.with_leftovers(ended_before=timezone.now() - KEPT).order_by("?")[:limit])
    return sum(_discard(job) for job in jobs)


def _discard(job: Job) -> bool:
    with tenant_scope(job.tenant_id):
        try:
            key = _begin(job)
            backend = compute[job.backend or get_kind(job.kind).backend(job.spec)]
            for attempt in range(1, job.attempt + 1):
                backend.discard(external_name(job, attempt), checkpoint_key=key)
        except SoftTimeLimitExceeded:
            raise
        except Exception:
            # What a backend or its settings do not allow today is tried again later.
            log.exception("leftovers_kept", job=str(job.id))
            return False
        Job.objects.filter(id=job.id).update(run_discarded=True)
        return True


def _begin(job: Job) -> str:
    """Forbid resuming the job from now on. Returns the key of the checkpoints to delete with its runs, or ""."""
    with transaction.atomic():
        # Resuming locks this row too. So it has either finished and is found below, or it will see this mark.
        Job.objects.filter(id=job.id).update(discard_begun=True)
        return "" if _was_resumed(job) else checkpoint_key(job)


def _was_resumed(job: Job) -> bool:
    """Whether a later job resumed its checkpoints; they are then discarded with that job."""
    later = Job.objects.filter(kind=job.kind, created_at__gt=job.created_at)
    return later.filter(spec__checkpoint_of=checkpoint_key(job)).exists()
