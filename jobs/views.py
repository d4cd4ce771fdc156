"""Pages of jobs: the list, and one job with live progress."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from jobs.kinds import outcome_of
from jobs.models import Job
from jobs.reports.live import live_context
from jobs.reports.queries import report_of
from jobs.services import stop_job
from jobs.states import ACTIVE, State
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

PAGE_SIZE = 25

FILTERS: dict[str, tuple[str, frozenset[State]]] = {
    "": ("All", frozenset(State)),
    "open": ("Not ended", ACTIVE | {State.QUEUED}),
    "succeeded": ("Succeeded", frozenset({State.SUCCEEDED})),
    "failed": ("Failed", frozenset({State.FAILED})),
    "stopped": ("Stopped", frozenset({State.STOPPED})),
}


@require_safe
@members_only(Action.JOBS_VIEW)
def index(request: TenantRequest) -> HttpResponse:
    """Jobs, newest first; `?state=` filters."""
    chosen = request.GET.get("state", "")
    chosen = chosen if chosen in FILTERS else ""
    jobs = Job.objects.filter(state__in=FILTERS[chosen][1]) if chosen else Job.objects.all()
    page = Paginator(jobs, PAGE_SIZE).get_page(request.GET.get("page"))
    filters = [{"value": value, "title": title, "active": value == chosen} for value, (title, _) in FILTERS.items()]
    changing = any(not job.is_terminal for job in page.object_list)
    return render(request, "jobs/list.html", {"page_obj": page, "filters": filters, "changing": changing})


@require_safe
@members_only(Action.JOBS_VIEW)
def detail(request: TenantRequest, job_id: UUID) -> HttpResponse:
    """One job: its progress or its result."""
    return render(request, "jobs/detail.html", _context(job_id))


@require_safe
@members_only(Action.JOBS_VIEW)
def live(request: TenantRequest, job_id: UUID) -> HttpResponse:
    """The part of the page that changes; it no longer asks for itself once the job has ended."""
    return render(request, "jobs/_live.html", _context(job_id))


@require_POST
@members_only(Action.JOBS_STOP)
def stop(request: TenantRequest, job_id: UUID) -> HttpResponse:
    """Ask the job to stop."""
    get_object_or_404(Job.objects, id=job_id)
    stop_job(job_id=job_id)
    return redirect("jobs:detail", job_id)


def _context(job_id: UUID) -> dict[str, Any]:
    job = get_object_or_404(Job.objects.select_related("created_by"), id=job_id)
    report = report_of(job)
    url = reverse("jobs:live", args=[job.id])
    shown = live_context(job, report, url=url, points=report.points, started_by=job.created_by)
    return {"outcome": outcome_of(job), **shown}
