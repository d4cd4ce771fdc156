"""Pages of rubrics: the list, one rubric with the prompts that it gives, and its export."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from evaluations.models import Rubric, RubricVersion
from evaluations.rubrics.document import RubricDocument, from_yaml
from evaluations.rubrics.forms import PreviewForm, RubricForm
from evaluations.rubrics.preview import RowPrompts, prompts, prompts_on_rows
from evaluations.rubrics.queries import document_of, rubrics
from evaluations.rubrics.services import change_rubric, create_rubric, delete_rubric
from evaluations.rubrics.starting import starters
from rest.errors import PortalError
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

PAGE_SIZE = 25
VERSIONS_SHOWN = 20


@require_safe
@members_only(Action.RUBRICS_EDIT)
def index(request: TenantRequest) -> HttpResponse:
    """The organisation's rubrics, newest first, and those to start from."""
    page = Paginator(rubrics(), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "evaluations/rubrics/list.html", {"page_obj": page, "starters": starters()})


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.RUBRICS_EDIT)
def new(request: TenantRequest) -> HttpResponse:
    """Add a rubric; `?starter=` fills in a built-in one."""
    starter = starters().get(request.GET.get("starter", "")) or starters()["summarisation"]
    form = RubricForm(request.POST if request.method == "POST" else None, initial={"document": starter.to_yaml()})
    if form.is_bound and form.is_valid():
        try:
            document = from_yaml(form.cleaned_data["document"])
            made = create_rubric(tenant=request.tenant, document=document, created_by=request.membership.user)
        except PortalError as error:
            error.show_on(form)
        else:
            messages.success(request, "Rubric added.")
            return redirect("evaluations:rubric", made.id)
    return render(request, "evaluations/rubrics/new.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.RUBRICS_EDIT)
def rubric(request: TenantRequest, rubric_id: UUID) -> HttpResponse:
    """One rubric: its text to change, and the exact prompts that it gives on an example or on rows of a dataset."""
    found = get_object_or_404(rubrics(), pk=rubric_id)
    document = document_of(found)
    form = RubricForm(request.POST if request.method == "POST" else None, initial={"document": document.to_yaml()})
    if form.is_bound and form.is_valid():
        try:
            changed = from_yaml(form.cleaned_data["document"])
            change_rubric(rubric=found, document=changed, changed_by=request.membership.user)
        except PortalError as error:
            error.show_on(form)
        else:
            messages.success(request, "Changes saved.")
            return redirect("evaluations:rubric", found.id)
    preview = PreviewForm(request.GET)
    versions = RubricVersion.objects.filter(rubric=found).select_related("created_by").defer("document")
    return render(
        request,
        "evaluations/rubrics/rubric.html",
        {
            "rubric": found,
            "form": form,
            "preview": preview,
            "rows": _previewed(document, preview),
            "versions": versions[:VERSIONS_SHOWN],
        },
    )


def _previewed(document: RubricDocument, form: PreviewForm) -> list[RowPrompts]:
    version = form.cleaned_data["dataset_version"] if form.is_valid() else None
    if version is not None:
        try:
            return prompts_on_rows(document, version)
        except PortalError as error:
            form.add_error("dataset_version", error.text)
    return [RowPrompts(number=None, prompts=prompts(document))]


@require_safe
@members_only(Action.RUBRICS_EDIT)
def export(request: TenantRequest, rubric_id: UUID) -> HttpResponse:
    """The newest version as a YAML file, which the form of a new rubric reads back."""
    found = get_object_or_404(rubrics(), pk=rubric_id)
    name = f"{slugify(found.name) or 'rubric'}.yaml"
    header = content_disposition_header(as_attachment=True, filename=name)
    return HttpResponse(
        document_of(found).to_yaml(), content_type="application/yaml", headers={"Content-Disposition": header}
    )


@require_POST
@members_only(Action.RUBRICS_EDIT)
def delete(request: TenantRequest, rubric_id: UUID) -> HttpResponse:
    """Delete a rubric with its versions."""
    found = get_object_or_404(Rubric.objects.all(), pk=rubric_id)
    try:
        delete_rubric(rubric=found)
    except PortalError as error:
        messages.error(request, error.text)
        return redirect("evaluations:rubric", found.id)
    messages.success(request, f"Rubric “{found.name}” deleted.")
    return redirect("evaluations:rubrics")
