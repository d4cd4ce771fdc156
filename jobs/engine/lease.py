"""The lease: only one worker at a time steps a job, by database time.

A long step renews its lease, so the lease can be short: when a worker dies, another takes over long before the
unobserved run would end itself. A worker that wakes up after losing its lease finds that the fence has moved.
"""

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from jobs.models import Job
from tenants.scope import system_scope

LEASE = dt.timedelta(seconds=10)
RENEWED_EVERY_SECONDS = 3.0


class LeaseLost(Exception):
    """Another worker now steps this job, so nothing was written."""


def claim(job_id: UUID) -> Job | None:
    """Take the lease of a due job, with a new fence. Returns None if the job is not due or another worker has it."""
    with system_scope(), transaction.atomic():
        claimed = Job.objects.due().filter(id=job_id)
        if not claimed.update(fence=F("fence") + 1, lease_expires_at=Now() + LEASE):
            return None
        return Job.objects.get(id=job_id)


def write(job: Job, **changes: object) -> None:
    """Change columns of a claimed job, never `state`. Raises LeaseLost. Call it in the scope of the job's tenant."""
    if not Job.objects.filter(id=job.id, fence=job.fence).update(**changes):
        raise LeaseLost
    for name, value in changes.items():
        if not hasattr(value, "resolve_expression"):
            setattr(job, name, value)


@contextmanager
def kept(job: Job) -> Iterator[None]:
    """A transaction in which nobody takes a claimed job over or ends it; for rows that its end has to find.

    Raises LeaseLost before anything is written. Call it in the scope of the job's tenant.
    """
    with transaction.atomic():
        if not Job.objects.select_for_update().filter(id=job.id, fence=job.fence).values("id"):
            raise LeaseLost
        yield


@contextmanager
def renewed(job: Job) -> Iterator[None]:
    """Keep renewing the lease while the block runs."""
    ended = threading.Event()

    def renew() -> None:
        try:
            while not ended.wait(RENEWED_EVERY_SECONDS):
                _renew(job)
        finally:
            connection.close()

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _renew(job: Job) -> None:
    try:
        with system_scope():
            Job.objects.filter(id=job.id, fence=job.fence).update(lease_expires_at=Now() + LEASE)
    except (DatabaseError, InterfaceError):
        # The next try opens a new connection. If the database is unavailable for longer than the lease and another
        # worker takes the job over, this step is lost: the fence has moved and nothing is renewed.
        connection.close()
