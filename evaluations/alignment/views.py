"""Aligning a judge with experts: what it would take, starting it, and deciding about what came of it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from evaluations.alignment.proposal import proposal_for
from evaluations.alignment.queries import rubric_version_named
from evaluations.alignment.services import drop_alignment, start_alignment, use_alignment
from evaluations.models import Alignment, Judge
from rest.errors import NotFound, PortalError
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.JUDGES_MANAGE)
def align(request: TenantRequest, judge_id: UUID) -> HttpResponse:
    """The examples that a judge would be shown and what measuring them costs, by `?rubric_version=`; then start it."""
    judge = get_object_or_404(Judge.objects.all(), pk=judge_id)
    given = request.POST if request.method == "POST" else request.GET
    try:
        rubric_version = rubric_version_named(given.get("rubric_version", ""))
    except NotFound:
        raise Http404 from None
    context: dict[str, Any] = {"judge": judge, "rubric_version": rubric_version}
    try:
        if request.method == "POST":
            start_alignment(
                tenant=request.tenant,
                judge=judge,
                rubric_version=rubric_version,
                created_by=request.membership.user,
            )
            return redirect("evaluations:judge", judge.id)
        proposal = proposal_for(judge, rubric_version)
        context |= {"proposal": proposal, "estimate": proposal.estimate()}
    except PortalError as error:
        context |= {"problem": error.text}
    return render(request, "evaluations/alignment/new.html", context)


@require_POST
@members_only(Action.JUDGES_MANAGE)
def use(request: TenantRequest, alignment_id: UUID) -> HttpResponse:
    """Have the judge grade with its examples from now on."""
    found = get_object_or_404(Alignment.objects.all(), pk=alignment_id)
    try:
        use_alignment(alignment=found, by=request.membership.user)
    except PortalError as error:
        messages.error(request, error.text)
    else:
        messages.success(request, "New version in use. Its licence begins anew: experts have to grade new answers.")
    return redirect("evaluations:judge", found.judge_id)


@require_POST
@members_only(Action.JUDGES_MANAGE)
def drop(request: TenantRequest, alignment_id: UUID) -> HttpResponse:
    """Have the judge grade without its examples."""
    found = get_object_or_404(Alignment.objects.all(), pk=alignment_id)
    try:
        drop_alignment(alignment=found, by=request.membership.user)
    except PortalError as error:
        messages.error(request, error.text)
    else:
        messages.success(request, "Version dropped. The judge grades without these examples.")
    return redirect("evaluations:judge", found.judge_id)
