"""Pages of datasets: the list, an upload, a dataset and one of its versions."""

from typing import Any, cast
from uuid import UUID

from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET
from django_htmx.http import HttpResponseClientRedirect, HttpResponseStopPolling

from corpora.charts import counts_figure, length_figure
from corpora.forms import UploadForm
from corpora.models import Dataset, DatasetVersion
from corpora.services import upload_version
from jobs.admission import place_in_line
from jobs.models import Job
from jobs.states import State
from tenants.access import WRITERS, members_only
from tenants.errors import PortalError
from tenants.requests import TenantRequest

PAGE_SIZE = 25
TABS = ("preview", "problems", "profile")


@require_GET
@members_only(roles=WRITERS)
def index(request: TenantRequest) -> HttpResponse:
    """Datasets, newest first, each with its latest version."""
    page = Paginator(Dataset.objects.with_latest(), PAGE_SIZE).get_page(request.GET.get("page"))
    changing = any(dataset.latest and dataset.latest.is_checking for dataset in page.object_list)
    return render(request, "corpora/list.html", {"page_obj": page, "changing": changing})


@transaction.non_atomic_requests
@members_only(roles=WRITERS)
def upload(request: TenantRequest) -> HttpResponse:
    """Choose a file; it becomes a version and is checked."""
    if request.method != "POST":
        form = UploadForm(initial={"dataset": _dataset_asked_for(request)})
        return render(request, "corpora/upload.html", {"form": form})
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            version = upload_version(
                tenant=request.tenant,
                file=file,
                file_name=file.name,
                dataset=form.cleaned_data["dataset"],
                dataset_name=form.cleaned_data["name"],
                created_by=request.membership.user,
            )
        except PortalError as error:
            form.add_error(error.field if error.field in form.fields else None, error.text)
        else:
            url = reverse("corpora:version", args=[version.id])
            return HttpResponseClientRedirect(url) if request.htmx else redirect(url)
    return render(request, "corpora/upload.html", {"form": form})


@require_GET
@members_only(roles=WRITERS)
def detail(request: TenantRequest, dataset_id: UUID) -> HttpResponse:
    """A dataset's versions, newest first."""
    dataset = get_object_or_404(Dataset.objects.select_related("created_by"), pk=dataset_id)
    versions = dataset.versions.select_related("created_by").defer("problems", "profile", "preview")
    page = Paginator(versions, PAGE_SIZE).get_page(request.GET.get("page"))
    changing = any(version.is_checking for version in page.object_list)
    return render(request, "corpora/detail.html", {"dataset": dataset, "page_obj": page, "changing": changing})


@require_GET
@members_only(roles=WRITERS)
def version(request: TenantRequest, version_id: UUID) -> HttpResponse:
    """One version: its rows, its problems, its profile; while it is checked, how far that is."""
    found = _version(version_id)
    if found.is_checking:
        return render(request, "corpora/version.html", {"version": found, "place": _place(found)})
    tab = request.GET.get("tab", "")
    if tab not in TABS or not found.is_ready:
        tab = "preview" if found.is_ready else "problems"
    context: dict[str, Any] = {"version": found, "tab": tab}
    if tab == "profile":
        context["figures"] = _figures(found.profile)
    return render(request, "corpora/version.html", context)


@require_GET
@members_only(roles=WRITERS)
def version_live(request: TenantRequest, version_id: UUID) -> HttpResponse:
    """How far the check is; once it has ended, polling stops and the page is loaded anew."""
    found = _version(version_id)
    if not found.is_checking:
        response = HttpResponseStopPolling()
        response["HX-Refresh"] = "true"
        return response
    return render(request, "corpora/_checking.html", {"version": found, "place": _place(found)})


def _version(version_id: UUID) -> DatasetVersion:
    versions = DatasetVersion.objects.select_related("dataset", "job", "created_by")
    return get_object_or_404(versions, pk=version_id)


def _place(version: DatasetVersion) -> int | None:
    job = cast(Job, version.job)
    return place_in_line(job) if job.state == State.QUEUED else None


def _figures(profile: dict[str, Any]) -> dict[str, Any]:
    return {
        "prompt": length_figure(profile["prompt_characters"]),
        "answer": length_figure(profile["answer_characters"]),
        "slices": counts_figure(profile["slices"]),
        "labels": counts_figure(profile["labels"]) if profile["labels"] else None,
    }


def _dataset_asked_for(request: TenantRequest) -> Dataset | None:
    """`?dataset=` comes from a link on the dataset's page; anything else is a new dataset."""
    try:
        return Dataset.objects.filter(pk=UUID(request.GET.get("dataset", ""))).first()
    except ValueError:
        return None
