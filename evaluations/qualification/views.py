"""Starting a judge's test, and the page of a judge that the site offers."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from evaluations.judges.backends import judges
from evaluations.judges.panels import render_shared_panels
from evaluations.judges.services import Trial, try_shared_judge
from evaluations.models import Judge
from evaluations.qualification.queries import report_of_shared
from evaluations.qualification.services import start_qualification, start_shared_qualification
from rest.errors import Conflict, NotFound
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest


@require_POST
@members_only(Action.JUDGES_MANAGE)
def start(request: TenantRequest, judge_id: UUID) -> HttpResponse:
    """Start testing one of the organisation's judges."""
    judge = get_object_or_404(Judge.objects.all(), pk=judge_id)
    try:
        start_qualification(tenant=request.tenant, judge=judge, created_by=request.membership.user)
    except Conflict as error:
        messages.error(request, error.text)
    return redirect("evaluations:judge", judge.id)


@require_safe
@members_only(Action.JUDGES_MANAGE)
def shared_judge(request: TenantRequest, alias: str) -> HttpResponse:
    """A judge that the site offers, and how it did."""
    return _shared_page(request, alias)


@require_POST
@transaction.non_atomic_requests
@members_only(Action.JUDGES_MANAGE)
def try_shared(request: TenantRequest, alias: str) -> HttpResponse:
    """Have a judge that the site offers grade the example: alone to htmx, else on the whole page."""
    try:
        trial = try_shared_judge(tenant=request.tenant, alias=alias)
    except NotFound:
        raise Http404 from None
    if request.htmx:
        return render(request, "evaluations/judges/_trial.html", {"trial": trial})
    return _shared_page(request, alias, trial)


def _shared_page(request: TenantRequest, alias: str, trial: Trial | None = None) -> HttpResponse:
    if alias not in judges:
        raise Http404
    context = {
        "judge": judges[alias],
        "trial": trial,
        "try_url": reverse("evaluations:shared-judge-try", args=[alias]),
        "report": report_of_shared(alias),
        "page_url": reverse("evaluations:shared-judge", args=[alias]),
        "start_url": reverse("evaluations:shared-judge-test", args=[alias]),
        "panels": render_shared_panels(alias, request),
    }
    return render(request, "evaluations/qualification/shared.html", context)


@require_POST
@members_only(Action.JUDGES_MANAGE)
def start_shared(request: TenantRequest, alias: str) -> HttpResponse:
    """Start testing a judge that the site offers."""
    try:
        start_shared_qualification(tenant=request.tenant, alias=alias, created_by=request.membership.user)
    except NotFound:
        raise Http404 from None
    except Conflict as error:
        messages.error(request, error.text)
    return redirect("evaluations:shared-judge", alias)
