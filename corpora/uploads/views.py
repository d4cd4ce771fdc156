"""Pages of uploads: the upload page, and the preview of a file before its import."""

from typing import cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import filesizeformat
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from corpora.models import Dataset, Upload, UploadState
from corpora.quota import used_bytes
from corpora.uploads.backends import parts_storage
from corpora.uploads.format_form import FormatForm
from corpora.uploads.forms import UploadForm
from corpora.uploads.kept import afresh
from corpora.uploads.services import abort_upload, confirm_upload, inspect_upload
from corpora.uploads.tus import expires_at
from corpora.versions.services import upload_version
from jobs.models import Job
from jobs.queue.queries import place_in_line
from jobs.states import State
from rest.errors import PortalError
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

SHOWN_UPLOADS = 50
PREFERENCES = ("chosen", "refuse")
"""Buttons of the preview that say what becomes of preference data. The others look again as the form says."""


@transaction.non_atomic_requests
@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.DATASETS_EDIT)
def upload(request: TenantRequest) -> HttpResponse:
    """Upload files. JavaScript sends them in resumable chunks; without it, the form sends a single file."""
    if request.method != "POST":
        return _upload_page(request, UploadForm(initial={"dataset": _dataset_asked_for(request)}))
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
            error.show_on(form)
        else:
            return redirect("corpora:version", version.id)
    return _upload_page(request, form)


@transaction.non_atomic_requests
@require_POST
@members_only(Action.DATASETS_EDIT)
def upload_cancel(request: TenantRequest, upload_id: UUID) -> HttpResponse:
    """Cancel an upload."""
    found = get_object_or_404(Upload.objects.all(), pk=upload_id)
    abort_upload(upload=found)
    messages.success(request, f"The upload of “{found.file_name}” was cancelled.")
    return redirect("corpora:upload")


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.DATASETS_EDIT)
def upload_format(request: TenantRequest, upload_id: UUID) -> HttpResponse:
    """The preview of a file. Its form refreshes the preview with other options, or imports the file."""
    found = get_object_or_404(Upload.objects.select_related("job", "version"), pk=upload_id)
    if found.version_id:
        return redirect("corpora:version", found.version_id)
    if found.state == UploadState.DONE:
        # The version was deleted.
        return redirect("corpora:list")
    if found.is_inspecting:
        return render(request, "corpora/uploads/format.html", {"upload": found, "place": _place(found)})
    if not found.is_waiting:
        return render(request, "corpora/uploads/format.html", {"upload": found})
    if request.POST.get("look") == "afresh":
        # Whatever else the form says may belong to options that do not fit.
        inspect_upload(upload=found, changes=afresh())
        return redirect("corpora:upload-format", found.id)
    form = FormatForm(found, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            return _answered(request, found, form)
        except PortalError as error:
            error.show_on(form)
    context = {"upload": found, "form": form, "expires_at": expires_at(found)}
    return render(request, "corpora/uploads/format.html", context)


@require_safe
@members_only(Action.DATASETS_EDIT)
def upload_live(request: TenantRequest, upload_id: UUID) -> HttpResponse:
    """The progress of the inspection. When it ends, the page reloads."""
    found = get_object_or_404(Upload.objects.select_related("job"), pk=upload_id)
    if not found.is_inspecting:
        return HttpResponseClientRefresh()
    return render(request, "corpora/uploads/_inspecting.html", {"upload": found, "place": _place(found)})


def _answered(request: TenantRequest, found: Upload, form: FormatForm) -> HttpResponse:
    look = request.POST.get("look")
    if look:
        chosen = {"preferences": look} if look in PREFERENCES else {}
        inspect_upload(upload=found, changes=form.changes() | chosen)
        return redirect("corpora:upload-format", found.id)
    version = confirm_upload(
        upload=found,
        changes=form.changes(),
        dataset=form.cleaned_data["dataset"],
        dataset_name=form.cleaned_data["name"],
        created_by=request.membership.user,
    )
    return redirect("corpora:version", version.id)


def _upload_page(request: TenantRequest, form: UploadForm) -> HttpResponse:
    used, limit = used_bytes(request.tenant), request.tenant.max_storage_bytes
    uploads = Upload.objects.unfinished().with_trouble().with_version().defer("inspection")
    context = {
        "form": form,
        "uploads": uploads[:SHOWN_UPLOADS],
        "largest": settings.MAX_UPLOAD_BYTES,
        "dataset": _dataset_asked_for(request),
        "in_parts": parts_storage() is not None,
        "used": f"{filesizeformat(used)} of {filesizeformat(limit)} used",
        "used_percent": min(100, round(100 * used / limit)) if limit else 100,
    }
    return render(request, "corpora/uploads/upload.html", context)


def _place(found: Upload) -> int | None:
    job = cast(Job, found.job)
    return place_in_line(job) if job.state == State.QUEUED else None


def _dataset_asked_for(request: TenantRequest) -> Dataset | None:
    """The dataset of `?dataset=`, which links on its page set. None means a new dataset."""
    try:
        return Dataset.objects.filter(pk=UUID(request.GET.get("dataset", ""))).first()
    except ValueError:
        return None
