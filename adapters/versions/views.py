"""Pages of adapters: the list, an adapter, and a version with its package and its card."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db import transaction
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from adapters.models import Adapter
from adapters.recipes.catalogue import RECIPES
from adapters.training.curves import curve_of
from adapters.training.queries import runs_of
from adapters.versions.cards import Card, as_markdown, card_of
from adapters.versions.manifests import manifest_groups
from adapters.versions.packages import manifest_response, package_response
from adapters.versions.panels import render_panels
from adapters.versions.queries import adapters_by_name, rows_of, version_with_all
from corpora.versions.caveats import caveats_of
from jobs.reports.charts import loss_figure
from jobs.reports.queries import report_of
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

PAGE_SIZE = 30
RUNS_SHOWN = 20


@require_safe
@members_only(Action.ADAPTERS_VIEW)
def index(request: TenantRequest) -> HttpResponse:
    """Every adapter with its newest version and run."""
    page = Paginator(adapters_by_name(), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page_obj": page, "rows": rows_of(list(page.object_list))}
    return render(request, "adapters/versions/list.html", context)


@require_safe
@members_only(Action.ADAPTERS_VIEW)
def detail(request: TenantRequest, adapter_id: UUID) -> HttpResponse:
    """One adapter's versions and runs."""
    adapter = get_object_or_404(adapters_by_name(), pk=adapter_id)
    return render(request, "adapters/versions/detail.html", _detail(adapter))


@require_safe
@members_only(Action.ADAPTERS_VIEW)
def live(request: TenantRequest, adapter_id: UUID) -> HttpResponse:
    """The part of an adapter's page that changes while a training runs."""
    context = _detail(get_object_or_404(adapters_by_name(), pk=adapter_id))
    return render(request, "adapters/versions/_live.html", context)


@require_safe
@members_only(Action.ADAPTERS_VIEW)
def version(request: TenantRequest, version_id: UUID) -> HttpResponse:
    """One version: package, data, training, and the panels of higher floors.

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
        "data_findings": caveats_of(found.run.dataset_version),
        "panels": render_panels(found, request),
    }
    return render(request, "adapters/versions/version.html", context)


@transaction.non_atomic_requests
@require_safe
@members_only(Action.ADAPTERS_VIEW)
def package(request: TenantRequest, version_id: UUID) -> FileResponse:
    """Download the package."""
    return package_response(version_with_all(version_id))


@require_safe
@members_only(Action.ADAPTERS_VIEW)
def card(request: TenantRequest, version_id: UUID) -> HttpResponse:
    """The card; `?format=md` downloads it as Markdown."""
    found = card_of(version_with_all(version_id))
    if request.GET.get("format") == "md":
        return markdown_response(found)
    return render(request, "adapters/versions/card.html", {"card": found, "version": found.version})


def markdown_response(card: Card) -> HttpResponse:
    """The card as a download, named after the adapter, whose name is a slug."""
    response = HttpResponse(as_markdown(card), content_type="text/markdown; charset=utf-8")
    name = f"{card.version.adapter.name}-v{card.version.number}.md"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _detail(adapter: Adapter) -> dict[str, Any]:
    runs = list(runs_of(adapter)[:RUNS_SHOWN])
    versions = adapter.versions.select_related("run__dataset_version__dataset").defer("manifest")
    return {
        "adapter": adapter,
        "versions": list(versions),
        "runs": runs,
        "is_running": any(not run.job.is_terminal for run in runs),
    }
