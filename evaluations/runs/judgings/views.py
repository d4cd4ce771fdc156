"""The page that has an evaluation's answers judged by language models."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from evaluations.models import EvaluationRun
from evaluations.runs.judgings.estimates import estimate_judging
from evaluations.runs.judgings.forms import JudgingForm
from evaluations.runs.judgings.services import start_judging
from evaluations.runs.queries import runs_with_findings
from rest.errors import PortalError
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.EVALUATIONS_START)
def judge(request: TenantRequest, run_id: UUID) -> HttpResponse:
    """Choose judges and a rubric, see what it will take, and start."""
    run = get_object_or_404(runs_with_findings(), pk=run_id)
    form = JudgingForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            start_judging(tenant=request.tenant, run=run, created_by=request.membership.user, **form.arguments())
        except PortalError as error:
            error.show_on(form)
        else:
            return redirect(f"{reverse('evaluations:figures', args=[run.id])}#judgings")
    context = {"form": form, "run": run, **_estimate(run, form if form.is_bound else _untouched(form))}
    return render(request, "evaluations/runs/judgings/new.html", context)


@require_safe
@members_only(Action.EVALUATIONS_START)
def estimate(request: TenantRequest, run_id: UUID) -> HttpResponse:
    """What it will take, refreshed after every choice."""
    run = get_object_or_404(runs_with_findings(), pk=run_id)
    return render(request, "evaluations/runs/judgings/_estimate.html", _estimate(run, JudgingForm(request.GET)))


def _untouched(form: JudgingForm) -> JudgingForm:
    return JudgingForm({name: field.initial for name, field in form.fields.items() if field.initial})


def _estimate(run: EvaluationRun, form: JudgingForm) -> dict[str, Any]:
    if not form.is_valid():
        return {}
    try:
        return {"estimate": estimate_judging(run=run, **form.arguments())}
    except PortalError as error:
        return {"problem": error.text}
