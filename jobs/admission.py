"""Starts queued jobs: as many as the backends have room for, chosen fairly among tenants."""

import datetime as dt
from collections import deque
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count
from django.db.models.functions import Now

from jobs.backends import compute
from jobs.models import Job, QueueShare
from jobs.queue import Waiting, pick
from jobs.states import ACTIVE, State, transition
from tenants.models import Tenant
from tenants.scope import system_scope

# Any constant will do, as long as nothing else in the database uses it.
ADMISSION_LOCK = 7_203_114
LOOK_AHEAD = 50


def admit() -> list[Job]:
    """Move queued jobs to running and return them. Only one caller works at a time; others return nothing."""
    with system_scope(), transaction.atomic():
        if not _take_turn():
            return []
        admitted: list[Job] = []
        for alias in Job.objects.queued().order_by().values_list("backend", flat=True).distinct():
            admitted += _admit_for(alias)
        return admitted


def place_in_line(job: Job) -> int:
    """How many queued jobs of its tenant come before this one, plus one."""
    return Job.objects.queued().filter(backend=job.backend, created_at__lt=job.created_at).count() + 1


def _take_turn() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [ADMISSION_LOCK])
        return bool(cursor.fetchone()[0])


def _admit_for(alias: str) -> list[Job]:
    running = Job.objects.filter(state__in=ACTIVE, backend=alias)
    slots = compute[alias].max_running - running.count() if alias else LOOK_AHEAD
    if slots <= 0:
        return []
    busy: dict[UUID, int] = dict(
        Job.objects.filter(state__in=ACTIVE).order_by().values_list("tenant_id").annotate(Count("id"))
    )
    waiting = _queues(alias, busy)
    chosen, credit = pick(waiting, slots=slots)
    jobs = Job.objects.in_bulk(chosen)
    admitted = [jobs[job_id] for job_id in chosen if transition(jobs[job_id], State.RUNNING)]
    served = {job.tenant_id for job in admitted}
    for queue in waiting:
        values: dict[str, object] = {"credit": credit[queue.tenant_id]}
        if queue.tenant_id in served:
            values["served_at"] = Now()
        QueueShare.objects.update_or_create(tenant_id=queue.tenant_id, defaults=values)
    return admitted


def _queues(alias: str, busy: dict[UUID, int]) -> list[Waiting]:
    """Each tenant's queue, the tenant served longest ago first."""
    tenants = list(Job.objects.queued().filter(backend=alias).order_by().values_list("tenant_id", flat=True).distinct())
    limits = dict(Tenant.objects.filter(id__in=tenants).values_list("id", "max_running_jobs"))
    shares = {share.tenant_id: share for share in QueueShare.objects.filter(tenant_id__in=tenants)}
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    served = {share.tenant_id: share.served_at or never for share in shares.values()}
    tenants.sort(key=lambda tenant_id: (served.get(tenant_id, never), str(tenant_id)))
    queues = []
    for tenant_id in tenants:
        rows = Job.objects.queued().filter(backend=alias, tenant_id=tenant_id).values_list("id", "cost_units")
        queues.append(
            Waiting(
                tenant_id=tenant_id,
                jobs=deque(rows[:LOOK_AHEAD]),
                free=limits[tenant_id] - busy.get(tenant_id, 0),
                credit=shares[tenant_id].credit if tenant_id in shares else 0.0,
            )
        )
    return queues
