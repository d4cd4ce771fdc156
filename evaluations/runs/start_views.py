"""The page that starts an evaluation."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from adapters.versions.queries import version_named
from evaluations.runs.services import start_evaluation
from evaluations.runs.start_form import StartForm
from rest.errors import PortalError
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.EVALUATIONS_START)
def start(request: TenantRequest, version_id: UUID) -> HttpResponse:
    """Choose models and rows, then start the evaluation and show it."""
    version = version_named(version_id)
    form = StartForm(version, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            run = start_evaluation(
                tenant=request.tenant, version=version, created_by=request.membership.user, **form.arguments()
            )
        except PortalError as error:
            error.show_on(form)
        else:
            return redirect("evaluations:detail", run.id)
    return render(request, "evaluations/runs/start.html", {"form": form, "version": version})
