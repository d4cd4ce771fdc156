"""Curves of a run, preceded by those of the runs that it resumed."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import Avg, F, FloatField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Floor

from adapters.models import TrainingRun
from jobs.models import JobEvent
from jobs.reports.queries import Report, report_of

SPARKS = 32
"""Points of a small curve in a list."""


def lineage_of(run: TrainingRun) -> list[TrainingRun]:
    """The run, the run that it resumed, and so on back to the first."""
    found = [run]
    while found[-1].resumed_from is not None:
        found.append(found[-1].resumed_from)
    return found


def last_checkpoint(run: TrainingRun) -> int | None:
    """The last step saved as a checkpoint by the run or by those it resumed. None if there is none."""
    jobs = [earlier.job_id for earlier in lineage_of(run)]
    saved = JobEvent.objects.filter(job__in=jobs, type="checkpoint")
    return max((data["step"] for data in saved.values_list("data", flat=True)), default=None)


def curve_of(run: TrainingRun, report: Report) -> list[dict[str, Any]]:
    """The points of a run's report, preceded by those of the runs it resumed up to its first step."""
    points = list(report.points)
    for earlier in lineage_of(run)[1:]:
        begins = points[0]["step"] if points else float("inf")
        points = [point for point in report_of(earlier.job).points if point["step"] < begins] + points
    return points


def sparks(job_ids: Collection[UUID]) -> dict[UUID, list[float]]:
    """Up to about `SPARKS` mean losses of each job in their order, thinned by the database: one query for all."""
    losses = (
        JobEvent.objects.filter(job__in=job_ids, type="metric", data__has_key="loss")
        .annotate(
            part=Floor(Cast(KeyTextTransform("fraction", "data"), FloatField()) * SPARKS),
            loss=Cast(KeyTextTransform("loss", "data"), FloatField()),
        )
        .order_by()
        .values("job_id", "part")
        .annotate(mean=Avg(F("loss")))
        .order_by("job_id", "part")
    )
    found: dict[UUID, list[float]] = {}
    for row in losses:
        found.setdefault(row["job_id"], []).append(row["mean"])
    return found
