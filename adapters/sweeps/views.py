"""Pages of sweeps: the list, the form of a new one, and its runs by held-out loss."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from adapters.models import BaseModel, Sweep
from adapters.recipes.catalogue import RECIPES
from adapters.sweeps.forms import SweepForm
from adapters.sweeps.previews import SweepPreview, preview_sweep
from adapters.sweeps.queries import grid_text, sweep_table
from adapters.sweeps.services import start_sweep, stop_sweep
from adapters.training.proposals import first_values, followed, proposed_by
from rest.errors import PortalError
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

PAGE_SIZE = 25


@require_safe
@members_only(Action.ADAPTERS_VIEW)
def sweeps(request: TenantRequest) -> HttpResponse:
    """Every sweep, newest first."""
    found = (
        Sweep.objects.select_related("adapter", "created_by")
        .annotate(count=Count("runs", filter=Q(runs__resumptions=None)))
        .order_by("-created_at")
    )
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [(row, grid_text(row)) for row in page.object_list]
    return render(request, "adapters/sweeps/list.html", {"page_obj": page, "rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.ADAPTERS_TRAIN)
def new_sweep(request: TenantRequest) -> HttpResponse:
    """Show the form, or start a run for each combination."""
    form = SweepForm(request.POST) if request.method == "POST" else SweepForm(initial=first_values(request.GET))
    if form.is_bound and form.is_valid():
        try:
            sweep = start_sweep(
                tenant=request.tenant, created_by=request.membership.user, grid=form.grid(), **form.arguments()
            )
        except PortalError as error:
            error.show_on(form)
        else:
            return redirect("adapters:sweep", sweep.id)
    context = {
        "form": form,
        "recipes": RECIPES.values(),
        "has_base_model": BaseModel.objects.exists(),
        "estimate_url": reverse("adapters:sweep-estimate"),
        **(_preview(form) if form.is_bound else {}),
        **proposed_by(form if form.is_bound else SweepForm(form.initial)),
    }
    return render(request, "adapters/sweeps/new.html", context)


@require_safe
@members_only(Action.ADAPTERS_TRAIN)
def sweep_estimate(request: TenantRequest) -> HttpResponse:
    """The estimate beside the form: number of trainings, time and cost. What the form itself had filled in follows the
    dataset."""
    form, proposed = followed(SweepForm, request.GET)
    context = {"form": form, "recipes": RECIPES.values(), **proposed}
    return render(request, "adapters/sweeps/_plan.html", context | _preview(form))


@require_safe
@members_only(Action.ADAPTERS_VIEW)
def sweep(request: TenantRequest, sweep_id: UUID) -> HttpResponse:
    """One sweep's runs, the best first."""
    return render(request, "adapters/sweeps/sweep.html", _context(sweep_id))


@require_safe
@members_only(Action.ADAPTERS_VIEW)
def sweep_live(request: TenantRequest, sweep_id: UUID) -> HttpResponse:
    """The part of a sweep's page that changes."""
    return render(request, "adapters/sweeps/_live.html", _context(sweep_id))


@require_POST
@members_only(Action.ADAPTERS_TRAIN)
def stop_all(request: TenantRequest, sweep_id: UUID) -> HttpResponse:
    """Stop all runs of a sweep."""
    get_object_or_404(Sweep.objects, id=sweep_id)
    stop_sweep(sweep_id=sweep_id)
    return redirect("adapters:sweep", sweep_id)


def _context(sweep_id: UUID) -> dict[str, Any]:
    found = get_object_or_404(Sweep.objects.select_related("adapter__base_model", "created_by"), pk=sweep_id)
    table = sweep_table(found)
    first = table.rows[0].run
    return {"sweep": found, "table": table, "first": first, "recipe": RECIPES.get(first.recipe)}


def _preview(form: SweepForm) -> dict[str, SweepPreview | str]:
    form.is_valid()
    for name in [*form.LISTS.values(), *form.override_names]:
        if name in form.errors:
            return {"problem": f"{form.fields[name].label}: {form.errors[name][0]}"}
    try:
        return {"preview": preview_sweep(grid=form.grid(), **form.arguments())}
    except PortalError as error:
        return {"problem": error.text}
