"""What runs report, kept so that a page can be left and reopened."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from jobs.models import Job, JobEvent

_ENVELOPE = frozenset({"seq", "t", "type"})


@transaction.atomic
def record_events(*, job: Job, events: Iterable[dict[str, Any]], cursor: int) -> None:
    """Append events once each and move the job's phase, fraction and ETA along with them."""
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
    job.events_cursor = cursor
    for row in rows:
        job.phase = row.data.get("phase", job.phase)
        job.fraction = row.data.get("fraction", job.fraction)
        job.eta_seconds = row.data.get("eta_seconds", job.eta_seconds)
    job.save(update_fields=["events_cursor", "phase", "fraction", "eta_seconds"])
