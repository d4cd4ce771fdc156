"""Starts queued jobs: as many as the backends have room for, chosen fairly among tenants.

The cost depends on the number of tenants with queued jobs, not on the number of jobs they have queued.
"""

import datetime as dt
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db import OperationalError, connection, transaction
from django.db.models import Count, OuterRef
from django.db.models.functions import JSONObject
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from jobs.backends import compute
from jobs.kinds import uncounted
from jobs.models import Job, QueueShare
from jobs.queue.round_robin import Waiting, pick
from jobs.states import State, transition
from tenants.models import Tenant
from tenants.scope import system_scope

# Any constant will do, as long as nothing else in the database uses it.
ADMISSION_LOCK = 7_203_114
PATIENCE = "1s"
# Jobs without a backend are limited by their tenant's limit; at most this many start at once.
WITHOUT_BACKEND = 50

_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)


def admit() -> list[Job]:
    """Move queued jobs to running and return them.

    Only one caller works at a time, because two could both take the last slot. The others wait for `PATIENCE` at most,
    then return an empty list.
    """
    try:
        with system_scope(), transaction.atomic():
            _take_turn()
            return _start_queued()
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            return []
        raise


def _take_turn() -> None:
    # If a database crash undoes an admission, it is repeated. So there is no need to wait for the disk.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'off', true), set_config('lock_timeout', %s, true),"
            " pg_advisory_xact_lock(%s)",
            [PATIENCE, ADMISSION_LOCK],
        )


def _start_queued() -> list[Job]:
    taken: Counter[str] = Counter()
    busy: Counter[UUID] = Counter()
    holds: Counter[tuple[str, UUID]] = Counter()
    counted = Job.objects.active().exclude(kind__in=uncounted())
    active = counted.order_by().values_list("backend", "tenant_id").annotate(Count("id"))
    for backend, tenant_id, count in active:
        taken[backend] += count
        busy[tenant_id] += count
        holds[backend, tenant_id] = count
    room = {alias: compute[alias].max_running - taken[alias] for alias in compute} | {"": WITHOUT_BACKEND}
    slots = {alias: free for alias, free in room.items() if free > 0}
    lines = _lines(slots)
    admitted: list[Job] = []
    for alias, free in slots.items():
        most = compute[alias].max_running_per_tenant if alias else WITHOUT_BACKEND
        may_start = {
            line.tenant_id: min(line.limit - busy[line.tenant_id], most - holds[alias, line.tenant_id])
            for line in lines[alias]
        }
        started = _take_turns([line for line in lines[alias] if may_start[line.tenant_id] > 0], may_start, slots=free)
        busy.update(job.tenant_id for job in started)
        admitted += started
    return admitted


@dataclass(frozen=True)
class _Line:
    """The first jobs of one tenant's queue for one backend, as {"id", "cost"}.

    `limit` is the number of jobs the tenant may run at once, over all backends.
    """

    tenant_id: UUID
    limit: int
    head: list[dict[str, Any]]


def _lines(slots: Mapping[str, int]) -> dict[str, list[_Line]]:
    """The non-empty queues by backend, each cut off at the backend's number of free slots; read in one query."""
    heads = {}
    for number, (alias, length) in enumerate(slots.items()):
        queued = Job.objects.queued().filter(backend=alias, tenant=OuterRef("id"))
        heads[f"line_{number}"] = ArraySubquery(queued.values(entry=JSONObject(id="id", cost="cost_units"))[:length])
    lines: dict[str, list[_Line]] = {alias: [] for alias in slots}
    for tenant_id, limit, *found in Tenant.objects.annotate(**heads).values_list("id", "max_running_jobs", *heads):
        for alias, head in zip(slots, found, strict=True):
            if head:
                lines[alias].append(_Line(tenant_id, limit, head))
    return lines


def _take_turns(lines: Sequence[_Line], may_start: Mapping[UUID, int], *, slots: int) -> list[Job]:
    """Fill the slots, beginning with the tenant served longest ago, and record who was served.

    `may_start` is how many more jobs each tenant may start.
    """
    if not lines:
        return []
    shares = {line.tenant_id: QueueShare(tenant_id=line.tenant_id) for line in lines}
    shares |= {share.tenant_id: share for share in QueueShare.objects.filter(tenant_id__in=shares)}
    waiting = [
        Waiting(
            line.tenant_id,
            deque((UUID(entry["id"]), entry["cost"]) for entry in line.head),
            free=may_start[line.tenant_id],
            credit=shares[line.tenant_id].credit,
        )
        for line in sorted(lines, key=lambda line: (shares[line.tenant_id].served_at or _NEVER, str(line.tenant_id)))
    ]
    chosen, credit = pick(waiting, slots=slots)
    jobs = Job.objects.in_bulk(chosen)
    started = [jobs[job_id] for job_id in chosen if transition(jobs[job_id], State.RUNNING)]
    served = {job.tenant_id for job in started}
    changed = {tenant_id for tenant_id, left in credit.items() if left != shares[tenant_id].credit}
    for tenant_id in served:
        shares[tenant_id].served_at = timezone.now()
    for tenant_id in changed:
        shares[tenant_id].credit = credit[tenant_id]
    QueueShare.objects.bulk_create(
        [shares[tenant_id] for tenant_id in served | changed],
        update_conflicts=True,
        unique_fields=["tenant"],
        update_fields=["credit", "served_at"],
    )
    return started
