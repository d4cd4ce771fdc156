"""What the part of a job's page that changes shows: its state, facts, losses and events."""

from collections.abc import Sequence
from typing import Any

from jobs.models import Job
from jobs.queue.queries import place_in_line
from jobs.reports.charts import loss_figure
from jobs.reports.queries import Report, cost_so_far_usd
from jobs.states import State
from tenants.models import User


def live_context(
    job: Job, report: Report, *, url: str, points: Sequence[dict[str, Any]], started_by: User | None
) -> dict[str, Any]:
    """For `templates/jobs/_live.html`, which polls `url` until the job ends. `points` are those of `loss_figure`."""
    return {
        "job": job,
        "report": report,
        "live_url": url,
        "started_by": started_by,
        "cost_usd": cost_so_far_usd(job, report),
        "figure": loss_figure(points),
        "place": place_in_line(job) if job.state == State.QUEUED else None,
    }
