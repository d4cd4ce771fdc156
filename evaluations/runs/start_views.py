"""The pages that start an evaluation: of a version, and of any models."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from adapters.versions.queries import version_named
from evaluations.runs.models_form import ModelsForm
from evaluations.runs.rows_form import RowsForm
from evaluations.runs.services import start_evaluation
from evaluations.runs.start_form import StartForm
from rest.errors import PortalError
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.EVALUATIONS_START)
def start(request: TenantRequest, version_id: UUID) -> HttpResponse:
    """Choose what to compare a version with, and on which rows, then start the evaluation and show it."""
    version = version_named(version_id)
    form = StartForm(version, request.POST if request.method == "POST" else None)
    return _started(request, form, version=version) or render(
        request, "evaluations/runs/start.html", {"form": form, "version": version}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.EVALUATIONS_START)
def new(request: TenantRequest) -> HttpResponse:
    """Choose any models, then start the evaluation and show it. The address may name first choices."""
    chosen = {name: request.GET[name] for name in ("base_model", "dataset_version") if name in request.GET}
    form = ModelsForm(request.POST if request.method == "POST" else None, initial=chosen)
    return _started(request, form) or render(request, "evaluations/runs/new.html", {"form": form})


def _started(request: TenantRequest, form: RowsForm, **about: Any) -> HttpResponse | None:
    """To the evaluation, once the form has started it; until then None."""
    if not (form.is_bound and form.is_valid()):
        return None
    try:
        run = start_evaluation(tenant=request.tenant, created_by=request.membership.user, **about, **form.arguments())
    except PortalError as error:
        error.show_on(form)
        return None
    return redirect("evaluations:detail", run.id)
