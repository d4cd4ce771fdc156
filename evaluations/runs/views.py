"""Pages of evaluations: the list, one evaluation's rows and figures, one row, and downloads."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from evaluations.models import EvaluationItem, EvaluationRun, EvaluationState
from evaluations.runs.grades import grades_of
from evaluations.runs.grid.address import options_of, wanted_by
from evaluations.runs.grid.cells import cells_of
from evaluations.runs.grid.chips import chips_of
from evaluations.runs.grid.columns import column_filters, column_title, value_title
from evaluations.runs.grid.exports import FILE_TYPES, FileType, export_response
from evaluations.runs.grid.figures import figures_of
from evaluations.runs.grid.filters import filters_of
from evaluations.runs.grid.grid import Grid
from evaluations.runs.grid.nearest import nearest_row
from evaluations.runs.grid.row import full_answers
from evaluations.runs.judgings.panels import render_panels
from evaluations.runs.need.panel import need_panel
from evaluations.runs.queries import answered_counts, leaks_in, runs, runs_with_findings
from evaluations.runs.report import headline, names_of, sentence
from evaluations.runs.stages.held_out import ALL
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

RUNS_SHOWN = 30


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
    """The grid: every row with each model's answer. While the evaluation runs, the rows answered so far."""
    run = get_object_or_404(runs_with_findings(), pk=run_id)
    context = _head(request, run, tab="rows")
    grid: Grid = context["grid"]
    page = grid.pages.get_page(request.GET.get("page"))
    found = EvaluationItem.objects.in_bulk(list(page.object_list))
    items = [found[item_id] for item_id in page.object_list]
    grades = grades_of(run, items, request.membership.user)
    cells = cells_of(run, grid.columns, items, grades=grades)
    context |= {
        "page_obj": page,
        "rows": [(item, cells[item.id]) for item in items],
        "filters": filters_of(grid, context["chips"]),
        "column_filters": column_filters(run, grid.conditions),
        "file_types": FILE_TYPES,
        "total_rows": run.summary[ALL]["rows"] if run.summary else None,
    }
    return render(request, "evaluations/runs/detail.html", context)


@require_safe
@members_only(Action.EVALUATIONS_VIEW)
def figures(request: TenantRequest, run_id: UUID) -> HttpResponse:
    """Figures of an evaluation: slices, versions against each other, distributions, experts."""
    run = get_object_or_404(runs_with_findings(), pk=run_id)
    context = {**_head(request, run, tab="figures"), "judging_panels": render_panels(run, request)}
    if run.summary:
        context |= figures_of(context["grid"], request.GET.get("metric", ""), request.GET.get("by", ""))
    return render(request, "evaluations/runs/figures.html", context)


@require_safe
@members_only(Action.EVALUATIONS_VIEW)
def row(request: TenantRequest, run_id: UUID, position: int) -> HttpResponse:
    """One row with everything about it; for htmx, only the part that opens beside the grid."""
    run = get_object_or_404(runs_with_findings(), pk=run_id)
    item = get_object_or_404(EvaluationItem.objects.filter(run=run), position=position)
    grid = Grid(run, wanted_by(request.GET, options_of(run)), request.membership.user)
    neighbours, is_part = grid.neighbours(position), request.htmx and not request.htmx.history_restore_request
    context = {
        "run": run,
        "item": item,
        "kept": [(column_title(name), value_title(name, value)) for name, value in item.metadata.items()],
        "answers": full_answers(run, grid.ordered_models, item, grades_of(run, [item], request.membership.user)),
        "judging": run.last_judging,
        "neighbours": neighbours,
        "previous_url": _row_address(grid, neighbours.previous),
        "next_url": _row_address(grid, neighbours.next),
        "address": grid.wanted.address(),
        "is_part": is_part,
    }
    response = render(request, f"evaluations/runs/{'_row' if is_part else 'row'}.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@transaction.non_atomic_requests
@require_safe
@members_only(Action.EVALUATIONS_VIEW)
@members_only(Action.DATASETS_VIEW)
def nearest(request: TenantRequest, run_id: UUID, position: int) -> HttpResponse:
    """The training row that is most like a row; for htmx, only the part within the row."""
    run = get_object_or_404(runs_with_findings(), pk=run_id)
    item = get_object_or_404(EvaluationItem.objects.filter(run=run), position=position)
    is_part = request.htmx and not request.htmx.history_restore_request
    context = {"run": run, "item": item, "nearest": nearest_row(run, item)}
    response = render(request, f"evaluations/runs/{'_nearest' if is_part else 'nearest'}.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
@members_only(Action.EVALUATIONS_VIEW)
def export(request: TenantRequest, run_id: UUID) -> StreamingHttpResponse:
    """Download the rows that the address shows, as `?format=`."""
    run = get_object_or_404(runs_with_findings(), pk=run_id)
    grid = Grid(run, wanted_by(request.GET, options_of(run)), request.membership.user)
    file_type: FileType = next((name for name in FILE_TYPES if name == request.GET.get("format")), "csv")
    return export_response(grid, file_type)


@require_safe
@members_only(Action.EVALUATIONS_VIEW)
def live(request: TenantRequest, run_id: UUID) -> HttpResponse:
    """The part of the page that changes while the evaluation runs. At the end the whole page reloads."""
    run = get_object_or_404(runs(), pk=run_id)
    if run.state != EvaluationState.RUNNING:
        return HttpResponseClientRefresh()
    return render(request, "evaluations/runs/_live.html", {"run": run, "answered": answered_counts(run)})


def _row_address(grid: Grid, position: int | None) -> str:
    if position is None:
        return ""
    url, query = reverse("evaluations:row", args=[grid.run.id, position]), grid.wanted.address()
    return f"{url}?{query}" if query else url


def _head(request: TenantRequest, run: EvaluationRun, *, tab: str) -> dict[str, Any]:
    options = options_of(run)
    grid = Grid(run, wanted_by(request.GET, options), request.membership.user)
    chips = chips_of(grid)
    context = {
        "run": run,
        "tab": tab,
        "grid": grid,
        "options": options,
        "chips": chips,
        "is_live": any(chip.badges for chip in chips if chip.model == grid.about),
        "outcome": grid.outcome,
        "leaks": leaks_in(run),
        "need": need_panel(run),
        "address": grid.wanted.address(),
    }
    if run.summary and grid.other is not None:
        context["sentence"] = sentence(run.summary[ALL], grid.own.key, grid.other.key, names_of(run))
    if run.state == EvaluationState.RUNNING:
        context["answered"] = answered_counts(run)
    return context
