"""Stores the events that runs report, so that progress survives a reload of the page."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from jobs.engine.lease import write
from jobs.models import Job, JobEvent

_ENVELOPE = frozenset({"seq", "t", "type"})


@transaction.atomic
def record_events(*, job: Job, events: Iterable[dict[str, Any]], cursor: int) -> None:
    """Append each event once and update the job's phase, fraction and ETA.

    A step that no attempt had reached before is progress, so it resets the count of attempts without progress.
    """
    rows = [
        JobEvent(
            tenant_id=job.tenant_id,
            job=job,
            attempt=job.attempt,
            seq=event["seq"],
            at=dt.datetime.fromtimestamp(event["t"], dt.UTC),
            type=event["type"],
            data={key: value for key, value in event.items() if key not in _ENVELOPE},
        )
        for event in events
    ]
    if not rows:
        return
    JobEvent.objects.bulk_create(rows, ignore_conflicts=True)
    changes: dict[str, Any] = {"events_cursor": cursor}
    for row in rows:
        changes |= {name: row.data[name] for name in ("phase", "fraction", "eta_seconds") if name in row.data}
    furthest = max(row.data.get("step", 0) for row in rows)
    if furthest > job.furthest_step:
        changes |= {"furthest_step": furthest, "attempts_without_progress": 0}
    write(job, **changes)
