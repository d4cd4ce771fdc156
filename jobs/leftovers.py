"""Clears away what ended runs left with their backend: copies of customers' rows, checkpoints, logs."""

import datetime as dt

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.utils import timezone

from jobs.backends import compute
from jobs.compute import checkpoint_key, external_name
from jobs.kinds import get_kind
from jobs.models import Job
from tenants.scope import system_scope, tenant_scope

log = structlog.get_logger(__name__)

KEPT = dt.timedelta(hours=1)
"""How long an ended run can still be looked at by the operator."""


def discard_leftovers(*, limit: int = 100) -> int:
    """Discard the runs of jobs that ended more than `KEPT` ago; how many jobs it was done for. May run twice."""
    with system_scope():
        # Drawn by chance: those that cannot be discarded would otherwise stand before the others every time.
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
            # Whatever a backend or its settings do not allow today is tried again another time.
            log.exception("leftovers_kept", job=str(job.id))
            return False
        Job.objects.filter(id=job.id).update(run_discarded=True)
        return True


def _begin(job: Job) -> str:
    """Let nobody resume the job from now on; the key of the checkpoints that go with its runs, empty for none."""
    with transaction.atomic():
        # A resumption locks this row too, so it has either ended, and is found below, or finds this mark.
        Job.objects.filter(id=job.id).update(discard_begun=True)
        return "" if _was_resumed(job) else checkpoint_key(job)


def _was_resumed(job: Job) -> bool:
    """Whether a later job took over its checkpoints, which are then that one's to discard."""
    later = Job.objects.filter(kind=job.kind, created_at__gt=job.created_at)
    return later.filter(spec__checkpoint_of=checkpoint_key(job)).exists()
