"""Pages of adapters: the list, an adapter, a version and its package, and the form of a new training."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_GET
from django_htmx.http import HTMX_STOP_POLLING

from adapters.clones import cloned
from adapters.curves import curve_of
from adapters.forms import TrainingForm
from adapters.manifests import manifest_groups
from adapters.models import Adapter, BaseModel, TrainingRun
from adapters.packages import manifest_response, package_response
from adapters.panels import render_panels
from adapters.previews import Preview, preview_training
from adapters.queries import adapters_by_name, rows_of, runs_of, version_with_all
from adapters.recipes import RECIPES
from adapters.services import start_training
from corpora.models import DatasetVersion
from jobs.charts import loss_figure
from jobs.reports import report_of
from rest.errors import PortalError
from tenants.access import WRITERS, members_only
from tenants.requests import TenantRequest

PAGE_SIZE = 30
RUNS_SHOWN = 20


@require_GET
@members_only(roles=WRITERS)
def index(request: TenantRequest) -> HttpResponse:
    """Every adapter with its newest version and run."""
    page = Paginator(adapters_by_name(), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page_obj": page, "rows": rows_of(list(page.object_list))}
    return render(request, "adapters/list.html", context)


@members_only(roles=WRITERS)
def train(request: TenantRequest) -> HttpResponse:
    """Choose dataset, name and recipe; start the training."""
    form = TrainingForm(request.POST) if request.method == "POST" else TrainingForm(initial=_initial(request))
    if form.is_bound and form.is_valid():
        try:
            run = start_training(tenant=request.tenant, created_by=request.membership.user, **form.arguments())
        except PortalError as error:
            form.add_error(error.field if error.field in form.fields else None, error.text)
        else:
            messages.success(request, f"The training of {run.adapter} is in the queue.")
            return redirect("adapters:run", run.id)
    context = {
        "form": form,
        "recipes": RECIPES.values(),
        "has_base_model": BaseModel.objects.exists(),
        **_preview(form if form.is_bound else TrainingForm(form.initial)),
    }
    return render(request, "adapters/train.html", context)


@require_GET
@members_only(roles=WRITERS)
def estimate(request: TenantRequest) -> HttpResponse:
    """The part of the form's page that tells what would be started, asked for after every change."""
    return render(request, "adapters/_plan.html", _preview(TrainingForm(request.GET)))


@require_GET
@members_only(roles=WRITERS)
def detail(request: TenantRequest, adapter_id: UUID) -> HttpResponse:
    """One adapter's versions and runs."""
    adapter = get_object_or_404(adapters_by_name(), pk=adapter_id)
    return render(request, "adapters/detail.html", _detail(adapter))


@require_GET
@members_only(roles=WRITERS)
def live(request: TenantRequest, adapter_id: UUID) -> HttpResponse:
    """The part of an adapter's page that changes while a training runs."""
    context = _detail(get_object_or_404(adapters_by_name(), pk=adapter_id))
    status = 200 if context["is_running"] else HTMX_STOP_POLLING
    return render(request, "adapters/_live.html", context, status=status)


@require_GET
@members_only(roles=WRITERS)
def version(request: TenantRequest, version_id: UUID) -> HttpResponse:
    """One version: its package, what it was made of, how the training went, and what higher floors add.

    `?format=json` downloads its manifest.
    """
    found = version_with_all(version_id)
    if request.GET.get("format") == "json":
        return manifest_response(found)
    context = {
        "version": found,
        "figure": loss_figure(curve_of(found.run, report_of(found.run.job))),
        "manifest": manifest_groups(found),
        "recipe": RECIPES.get(found.run.recipe),
        "panels": render_panels(found, request),
    }
    return render(request, "adapters/version.html", context)


@transaction.non_atomic_requests
@require_GET
@members_only(roles=WRITERS)
def package(request: TenantRequest, version_id: UUID) -> FileResponse:
    """Download the package."""
    return package_response(version_with_all(version_id))


def _detail(adapter: Adapter) -> dict[str, Any]:
    runs = list(runs_of(adapter)[:RUNS_SHOWN])
    versions = adapter.versions.select_related("run__dataset_version__dataset").defer("manifest")
    return {
        "adapter": adapter,
        "versions": list(versions),
        "runs": runs,
        "is_running": any(not run.job.is_terminal for run in runs),
    }


def _initial(request: TenantRequest) -> dict[str, Any]:
    """`?clone=`, `?dataset=` and `?adapter=` come from links; an id that is not ours fills in nothing."""
    try:
        source = TrainingRun.objects.filter(id=UUID(request.GET["clone"])).first()
    except (KeyError, ValueError):
        source = None
    if source is not None:
        return cloned(source).as_initial()
    initial: dict[str, Any] = {"recipe": "style", "adapter": request.GET.get("adapter", "")[:60]}
    try:
        dataset_id = UUID(request.GET["dataset"])
    except (KeyError, ValueError):
        return initial
    chosen = DatasetVersion.objects.select_related("dataset").filter(id=dataset_id).first()
    if chosen is not None:
        initial["dataset_version"] = str(chosen.id)
        initial["adapter"] = initial["adapter"] or slugify(chosen.dataset.name)[:60].strip("-")
    return initial


def _preview(form: TrainingForm) -> dict[str, Preview | str]:
    """What the form would start so far, or why it cannot."""
    form.is_valid()
    for name in form.override_names:
        if name in form.errors:
            return {"problem": f"{form.fields[name].label}: {form.errors[name][0]}"}
    try:
        return {"preview": preview_training(**form.arguments())}
    except PortalError as error:
        return {"problem": error.text}
