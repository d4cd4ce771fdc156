"""Pages of training runs: the list, one run live, stopping and resuming it, and comparing several."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from adapters.models import TrainingRun
from adapters.recipes.catalogue import RECIPES
from adapters.recipes.hyperparameters import LEARN, Hyperparameters, differences
from adapters.training.comparison import check_count, compare, parse_run_ids
from adapters.training.curves import curve_of, last_checkpoint
from adapters.training.logs import last_lines
from adapters.training.queries import run_rows, runs_by_ids, runs_with_all
from adapters.training.services import check_resumable, resume_training
from jobs.backends import compute
from jobs.backends.base import ComputeError
from jobs.reports.live import live_context
from jobs.reports.queries import report_of
from jobs.services import stop_job
from jobs.states import State
from rest.errors import Conflict, PortalError
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

PAGE_SIZE = 25
LOG_LINES = 60
LIVE_LINES = 12
"""Few enough to read while new ones arrive."""


@require_safe
@members_only(Action.ADAPTERS_VIEW)
def runs(request: TenantRequest) -> HttpResponse:
    """Every run, newest first, with its small curve; selected ones can be compared."""
    page = Paginator(runs_with_all(), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = run_rows(list(page.object_list))
    context = {
        "page_obj": page,
        "rows": rows,
        "changing": any(not row.run.job.is_terminal for row in rows),
    }
    return render(request, "adapters/training/runs.html", context)


@require_safe
@members_only(Action.ADAPTERS_VIEW)
def run(request: TenantRequest, run_id: UUID) -> HttpResponse:
    """One run: its progress, or its result."""
    return render(request, "adapters/training/run.html", _context(run_id))


@require_safe
@members_only(Action.ADAPTERS_VIEW)
def run_live(request: TenantRequest, run_id: UUID) -> HttpResponse:
    """The part of a run's page that changes; polling stops once the run has ended."""
    return render(request, "adapters/training/_live.html", _context(run_id))


@transaction.non_atomic_requests
@require_safe
@members_only(Action.ADAPTERS_VIEW)
def run_log(request: TenantRequest, run_id: UUID) -> HttpResponse:
    """The tail of the run's output, if its backend keeps it."""
    found = _run(run_id)
    job = found.job
    lines: tuple[str, ...] = ()
    problem = ""
    if job.external_name and not job.run_discarded:
        try:
            lines = compute[job.backend].log_tail(job.external_name, lines=LOG_LINES)
        except ComputeError as error:
            problem = error.text
    context = {"run": found, "text": "\n".join(lines), "problem": problem}
    return render(request, "adapters/training/_log.html", context)


@require_POST
@members_only(Action.ADAPTERS_TRAIN)
def stop_run(request: TenantRequest, run_id: UUID) -> HttpResponse:
    """Stop the run."""
    found = _run(run_id)
    try:
        stop_job(job_id=found.job_id)
    except Conflict as error:
        messages.warning(request, error.text)
    return redirect("adapters:run", run_id)


@require_POST
@members_only(Action.ADAPTERS_TRAIN)
def resume_run(request: TenantRequest, run_id: UUID) -> HttpResponse:
    """Start a run that resumes from this one's last checkpoint."""
    get_object_or_404(TrainingRun.objects, id=run_id)
    try:
        resumed = resume_training(run_id=run_id, created_by=request.membership.user)
    except Conflict as error:
        messages.error(request, error.text)
        return redirect("adapters:run", run_id)
    return redirect("adapters:run", resumed.id)


@require_safe
@members_only(Action.ADAPTERS_VIEW)
def compare_runs(request: TenantRequest) -> HttpResponse:
    """Two to five runs side by side: `?run=ID&run=ID`; `differences=1` hides settings that are the same."""
    run_ids = parse_run_ids(request.GET.getlist("run"))
    try:
        check_count(len(run_ids))
    except PortalError as error:
        messages.warning(request, error.text)
        return redirect("adapters:runs")
    comparison = compare(runs_by_ids(run_ids))
    only_differences = request.GET.get("differences") == "1"
    context = {
        "comparison": comparison,
        "settings": comparison.differing if only_differences else comparison.settings,
        "only_differences": only_differences,
        "query": "&".join(f"run={run_id}" for run_id in run_ids),
    }
    return render(request, "adapters/training/compare.html", context)


def _run(run_id: UUID) -> TrainingRun:
    return get_object_or_404(runs_with_all().select_related("sweep", "resumed_from"), pk=run_id)


def _context(run_id: UUID) -> dict[str, Any]:
    found = _run(run_id)
    report = report_of(found.job)
    recipe = RECIPES.get(found.recipe)
    rows = found.dataset_version.train_count
    advised = recipe.for_base(found.adapter.base_model, rows).hyperparameters if recipe else None
    url = reverse("adapters:run-live", args=[found.id])
    points = curve_of(found, report)
    return {
        **live_context(found.job, report, url=url, points=points, started_by=found.created_by),
        "run": found,
        "version": getattr(found, "version", None),
        "recipe": recipe,
        "learns": LEARN.get(found.hyperparameters.get("learn", ""), ""),
        "differences": differences(advised, Hyperparameters.from_dict(found.hyperparameters)) if advised else [],
        "lines": "\n".join(last_lines(found.job, LOG_LINES if found.job.is_terminal else LIVE_LINES)),
        **_resumption(found),
    }


def _resumption(run: TrainingRun) -> dict[str, Any]:
    """Whether the run can be resumed, from which step, or why not."""
    if run.job.state not in {State.STOPPED, State.FAILED}:
        return {}
    resumed_by = run.resumptions.order_by("created_at").first()
    try:
        check_resumable(run)
    except Conflict as error:
        return {"resumed_by": resumed_by, "not_resumable": error.text}
    return {"checkpoint": last_checkpoint(run)}
