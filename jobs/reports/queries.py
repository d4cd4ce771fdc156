"""A summary of a job's events so far."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from django.db.models import F, IntegerField, Q, Window
from django.db.models.fields.json import HasKey, KeyTextTransform
from django.db.models.functions import Cast, RowNumber
from django.utils import timezone

from jobs.models import Job, JobEvent
from jobs.reports.charts import MAX_POINTS


@dataclass(frozen=True, kw_only=True)
class Report:
    """`points` are the metrics by step, each step's from the latest attempt that reached it.

    `latest` holds each metric's last value. `attempt` is the last attempt that reported anything, 0 if none has.
    """

    points: list[dict[str, Any]] = field(default_factory=list)
    latest: dict[str, Any] = field(default_factory=dict)
    log: list[JobEvent] = field(default_factory=list)
    attempt: int = 0
    attempt_began_at: dt.datetime | None = None

    @property
    def step_text(self) -> str:
        """`Step 40 of 1,200`, or an empty string for work without steps."""
        step, total = self.latest.get("step"), self.latest.get("total")
        return f"Step {step:,} of {total:,}" if step is not None and total else ""


def read_report(events: Iterable[JobEvent]) -> Report:
    """Summarise events, given oldest first; `log` has the newest first."""
    by_step: dict[int, dict[str, Any]] = {}
    latest: dict[str, Any] = {}
    log: list[JobEvent] = []
    attempt, began_at = 0, None
    for event in events:
        if event.attempt > attempt:
            attempt, began_at = event.attempt, event.at
        if event.type == "metric":
            known = {name: value for name, value in event.data.items() if value is not None}
            latest |= known
            if "step" in known:
                # A step may report its loss and its evaluation in separate events.
                by_step.setdefault(known["step"], {}).update(known)
        else:
            log.append(event)
    points = [by_step[step] for step in sorted(by_step)]
    return Report(points=points, latest=latest, log=log[::-1], attempt=attempt, attempt_began_at=began_at)


def report_of(job: Job) -> Report:
    """Summarise the job's events; the database thins the metrics to about `MAX_POINTS` steps."""
    events = JobEvent.objects.filter(job=job)
    step = Cast(KeyTextTransform("step", "data"), IntegerField())
    # For each group of steps: the latest attempt's last event, separately for events with and without either loss.
    place = Window(
        RowNumber(),
        partition_by=[
            step / max(1, ceil(job.furthest_step / MAX_POINTS)),
            HasKey(F("data"), "loss"),
            HasKey(F("data"), "eval_loss"),
        ],
        order_by=("-attempt", "-seq"),
    )
    shown = events.filter(type="metric").annotate(place=place).filter(place=1).values("id")
    read = events.filter(~Q(type="metric") | Q(id__in=shown))
    return read_report(read.only("id", "attempt", "seq", "at", "type", "data"))


def cost_so_far_usd(job: Job, report: Report) -> float | None:
    """The job's measured cost plus an estimate for the running attempt, which is measured only when it ends.

    None without a known price.
    """
    if job.is_terminal or job.billed_attempt >= job.attempt:
        return job.cost_usd
    if report.attempt_began_at is None or report.attempt < job.attempt:
        # The attempt that reported last is already billed, and the next one has not started.
        return job.cost_usd
    running = (timezone.now() - report.attempt_began_at).total_seconds()
    return job.cost_of(job.billable_seconds + max(running, 0.0))
