"""Pages of datasets: list, detail, edit and delete."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from corpora.datasets.forms import DatasetForm
from corpora.datasets.queries import datasets_called, rows_of
from corpora.datasets.services import change_dataset, delete_dataset
from corpora.lineage import uses_of
from corpora.models import Dataset, Upload, UploadState
from rest.errors import PortalError
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

PAGE_SIZE = 25


@require_safe
@members_only(Action.DATASETS_VIEW)
def index(request: TenantRequest) -> HttpResponse:
    """Datasets, the latest upload first, each with its version and uses. `?q=` filters by a part of the name."""
    search = request.GET.get("q", "").replace("\0", "").strip()[:120]
    page = Paginator(datasets_called(search), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = rows_of(list(page.object_list))
    changing = any(row.dataset.latest and row.dataset.latest.is_checking for row in rows)
    waiting = Upload.objects.filter(state=UploadState.WAITING).count()
    context = {"page_obj": page, "rows": rows, "changing": changing, "q": search, "waiting": waiting}
    return render(request, "corpora/datasets/list.html", context)


@require_safe
@members_only(Action.DATASETS_VIEW)
def detail(request: TenantRequest, dataset_id: UUID) -> HttpResponse:
    """A dataset's versions, newest first, each with its uses."""
    dataset = get_object_or_404(Dataset.objects.select_related("created_by"), pk=dataset_id)
    versions = dataset.versions.select_related("created_by").defer("problems", "profile")
    page = Paginator(versions, PAGE_SIZE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    uses = uses_of([version.id for version in shown])
    context = {
        "dataset": dataset,
        "page_obj": page,
        "rows": [(version, uses.get(version.id, [])) for version in shown],
        "changing": any(version.is_checking for version in shown),
    }
    return render(request, "corpora/datasets/detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.DATASETS_EDIT)
def edit(request: TenantRequest, dataset_id: UUID) -> HttpResponse:
    """Change the name or description of a dataset."""
    dataset = get_object_or_404(Dataset.objects.all(), pk=dataset_id)
    initial = {"name": dataset.name, "description": dataset.description}
    form = DatasetForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            change_dataset(dataset=dataset, **form.cleaned_data)
        except PortalError as error:
            error.show_on(form)
        else:
            return redirect("corpora:detail", dataset.id)
    return render(
        request, "corpora/datasets/edit.html", {"form": form, "dataset": dataset, "saved_name": initial["name"]}
    )


@require_POST
@members_only(Action.DATASETS_EDIT)
def delete(request: TenantRequest, dataset_id: UUID) -> HttpResponse:
    """Delete a dataset without versions."""
    dataset = get_object_or_404(Dataset.objects.all(), pk=dataset_id)
    delete_dataset(dataset=dataset)
    messages.success(request, f"Dataset “{dataset.name}” deleted.")
    return redirect("corpora:list")
