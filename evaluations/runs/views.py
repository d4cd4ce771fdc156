"""Pages of evaluations: the list, and one evaluation with its figures and rows."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from corpora.versions.caveats import leaks_of
from evaluations.models import EvaluationRun, EvaluationState
from evaluations.runs.charts import distribution_figure, metrics_figure
from evaluations.runs.forms import RowFilter
from evaluations.runs.grades import grades_of
from evaluations.runs.queries import (
    answers_of,
    expert_view,
    filtered_items,
    runs,
    runs_with_findings,
    scores_by_model,
)
from evaluations.runs.report import headline, reports
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

RUNS_SHOWN = 30
ROWS_SHOWN = 25
DISTRIBUTED = "rouge_l"
"""The metric whose scores are drawn as a distribution."""


@require_safe
@members_only(Action.EVALUATIONS_VIEW)
def index(request: TenantRequest) -> HttpResponse:
    """Every evaluation, newest first."""
    page = Paginator(runs(), RUNS_SHOWN).get_page(request.GET.get("page"))
    rows = [(run, headline(run)) for run in page.object_list]
    return render(request, "evaluations/runs/list.html", {"page_obj": page, "rows": rows})


@require_safe
@members_only(Action.EVALUATIONS_VIEW)
def detail(request: TenantRequest, run_id: UUID) -> HttpResponse:
    """One evaluation: progress while it runs, then results, charts and rows."""
    run = get_object_or_404(runs_with_findings(), pk=run_id)
    context: dict[str, Any] = {"run": run}
    if run.summary:
        context |= _figures(run) | _rows(request, run)
    return render(request, "evaluations/runs/detail.html", context)


@require_safe
@members_only(Action.EVALUATIONS_VIEW)
def live(request: TenantRequest, run_id: UUID) -> HttpResponse:
    """The part of the page that changes while the evaluation runs. At the end the whole page reloads."""
    run = get_object_or_404(runs(), pk=run_id)
    if run.state != EvaluationState.RUNNING:
        return HttpResponseClientRefresh()
    return render(request, "evaluations/runs/_live.html", {"run": run})


def _figures(run: EvaluationRun) -> dict[str, Any]:
    total, *slices = reports(run)
    names = {model.key: model.name for model in run.models.all()}
    return {
        "total": total,
        "slices": slices,
        "leaks": leaks_of(run.dataset_version),
        "distribution": distribution_figure(scores_by_model(run, DISTRIBUTED), DISTRIBUTED),
        "means": metrics_figure(run.summary, names),
        "experts": expert_view(run),
    }


def _rows(request: TenantRequest, run: EvaluationRun) -> dict[str, Any]:
    form = RowFilter(run, request.GET)
    page = Paginator(filtered_items(run, **form.chosen()), ROWS_SHOWN).get_page(request.GET.get("page"))
    items = list(page.object_list)
    answers, grades = answers_of(run, items), grades_of(run, items, request.membership.user)
    rows = [(item, answers[item.id], grades[item.id]) for item in items]
    return {"filter": form, "page_obj": page, "rows": rows}
