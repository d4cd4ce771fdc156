"""Pages of a dataset version: its tabs, a row, downloads and decisions."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from corpora.lineage import uses_of
from corpora.models import DatasetVersion
from corpora.versions.errors import SameFile
from corpora.versions.evaluation_sets import mark_as_evaluation_set
from corpora.versions.exports import CONTENTS, TYPES, Content, FileType, export_response
from corpora.versions.prepared import DECISIONS, prepared_as
from corpora.versions.rows import Rows
from corpora.versions.services import delete_version, keep_personal_data, recheck_version
from corpora.versions.tabs import TABS
from jobs.models import Job
from jobs.queue.queries import place_in_line
from jobs.states import State
from rest.errors import NotFound, PortalError
from storage.errors import ObjectMissing, StorageUnavailable
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest


@transaction.non_atomic_requests
@require_safe
@members_only(Action.DATASETS_VIEW)
def version(request: TenantRequest, version_id: UUID) -> HttpResponse:
    """A version, one tab at a time, or the progress of its check."""
    found = _version(version_id)
    if found.is_checking:
        return render(request, "corpora/versions/version.html", {"version": found, "place": _place(found)})
    tab = request.GET.get("tab", "")
    if tab not in TABS or not found.is_ready:
        tab = "preview" if found.is_ready else "quality"
    context = {
        "version": found,
        "tab": tab,
        "prepared": prepared_as(found),
        "uses": uses_of([found.id]).get(found.id, []),
    }
    try:
        context |= TABS[tab](found, request.GET)
    except (ObjectMissing, StorageUnavailable) as error:
        # The other tabs may have what they need.
        return render(request, "corpora/versions/version.html", context | {"problem": error}, status=error.status)
    return render(request, "corpora/versions/version.html", context)


@require_safe
@members_only(Action.DATASETS_VIEW)
def version_live(request: TenantRequest, version_id: UUID) -> HttpResponse:
    """The progress of the check. When it ends, the page reloads."""
    found = _version(version_id)
    if not found.is_checking:
        return HttpResponseClientRefresh()
    return render(request, "corpora/versions/_checking.html", {"version": found, "place": _place(found)})


@transaction.non_atomic_requests
@require_safe
@members_only(Action.DATASETS_VIEW)
def row(request: TenantRequest, version_id: UUID) -> HttpResponse:
    """One row in full, `?number=`."""
    found = _version(version_id)
    number = request.GET.get("number", "1")
    if not number.isdecimal() or len(number) > 12:
        raise NotFound("This version has no such row.")
    rows = Rows(found)
    context = {"version": found, "stored": rows.numbered(int(number)), "total": len(rows)}
    return render(request, "corpora/versions/row.html", context)


@transaction.non_atomic_requests
@require_safe
@members_only(Action.DATASETS_VIEW)
def export(request: TenantRequest, version_id: UUID) -> StreamingHttpResponse:
    """Download rows, findings or left-out rows (`?content=`) as JSONL or CSV (`?file_type=`)."""
    found = _version(version_id)
    content: Content = next((kind for kind in CONTENTS if kind == request.GET.get("content")), "rows")
    file_type: FileType = next((kind for kind in TYPES if kind == request.GET.get("file_type")), "jsonl")
    return export_response(found, content=content, file_type=file_type)


@require_POST
@members_only(Action.DATASETS_EDIT)
def recheck(request: TenantRequest, version_id: UUID) -> HttpResponse:
    """Create the next version of the same file according to one or more decisions."""
    found = _version(version_id)
    decisions = request.POST.getlist("decision")
    if not decisions:
        messages.warning(request, "Choose at least one change for the new version.")
        return redirect(f"{reverse('corpora:version', args=[found.id])}?tab=quality")
    if not DECISIONS.keys() >= set(decisions):
        raise NotFound("Unknown decision. Reload the page and try again.")
    changes = {option: value for decision in decisions for option, value in DECISIONS[decision].items()}
    try:
        new = recheck_version(version=found, changes=changes, created_by=request.membership.user)
    except SameFile as error:
        messages.info(request, "This version already exists. It is shown below.")
        return redirect("corpora:version", error.extra["version"])
    return redirect("corpora:version", new.id)


@require_POST
@members_only(Action.DATASETS_EDIT)
def keep(request: TenantRequest, version_id: UUID) -> HttpResponse:
    """Keep the personal data in the version."""
    found = _version(version_id)
    keep_personal_data(version=found, by=request.membership.user)
    return redirect(f"{reverse('corpora:version', args=[found.id])}?tab=quality")


@require_POST
@members_only(Action.DATASETS_EDIT)
def mark(request: TenantRequest, version_id: UUID) -> HttpResponse:
    """Keep the version for evaluation, or allow training on it again."""
    found = _version(version_id)
    try:
        mark_as_evaluation_set(version=found, marked=request.POST.get("marked") == "1")
    except PortalError as error:
        messages.error(request, error.text)
    return redirect("corpora:version", found.id)


@require_POST
@members_only(Action.DATASETS_EDIT)
def delete(request: TenantRequest, version_id: UUID) -> HttpResponse:
    """Delete an unused version."""
    found = _version(version_id)
    delete_version(version=found)
    messages.success(request, f"Version {found.number} deleted.")
    return redirect("corpora:detail", found.dataset_id)


def _version(version_id: UUID) -> DatasetVersion:
    related = ("dataset", "job", "created_by", "derived_from", "personal_data_kept_by")
    return get_object_or_404(DatasetVersion.objects.select_related(*related), pk=version_id)


def _place(version: DatasetVersion) -> int | None:
    job = cast(Job, version.job)
    return place_in_line(job) if job.state == State.QUEUED else None
