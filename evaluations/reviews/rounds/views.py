"""Pages for those who manage reviews: start a round, see how it goes, close it."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from evaluations.models import ReviewRound
from evaluations.reviews.queries import (
    assigned,
    decided_count,
    disputes,
    estimated_cost,
    left_out,
    rounds,
    skips,
)
from evaluations.reviews.rounds.corrections import corrections_count, upload_corrections
from evaluations.reviews.rounds.forms import ChangeForm, RoundForm
from evaluations.reviews.rounds.services import change_round, close_round, start_round
from evaluations.runs.queries import ready_runs
from rest.errors import PortalError
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

SHOWN = 100
"""Disagreements and skipped answers on a round's page. Once one is settled, the next comes up."""


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.REVIEWS_MANAGE)
def start(request: TenantRequest, run_id: UUID) -> HttpResponse:
    """Choose how many answers, and who grades them."""
    run = get_object_or_404(ready_runs(), pk=run_id)
    form = RoundForm(run, request.POST if request.method == "POST" else None)
    asked = RoundForm(run, request.GET) if request.GET else form
    if form.is_bound and form.is_valid():
        try:
            started = start_round(
                tenant=request.tenant, run=run, created_by=request.membership.user, **form.arguments()
            )
        except PortalError as error:
            error.show_on(form)
        else:
            return redirect("evaluations:review-round", started.id)
    grades = asked.grades_wanted()
    context = {"form": form, "run": run, "cost": None if grades is None else estimated_cost(grades)}
    return render(request, "evaluations/reviews/rounds/start.html", context)


@require_safe
@members_only(Action.REVIEWS_MANAGE)
def detail(request: TenantRequest, round_id: UUID) -> HttpResponse:
    """Progress per reviewer, disagreements, skipped answers."""
    found = get_object_or_404(rounds(), pk=round_id)
    return _detail(request, found, ChangeForm(found))


@require_POST
@members_only(Action.REVIEWS_MANAGE)
def change(request: TenantRequest, round_id: UUID) -> HttpResponse:
    """Change who grades, until when, or by which version of the rubric."""
    found = get_object_or_404(rounds(), pk=round_id)
    form = ChangeForm(found, request.POST)
    if form.is_valid():
        try:
            change_round(review_round=found, **form.arguments())
        except PortalError as error:
            error.show_on(form)
        else:
            return redirect("evaluations:review-round", found.id)
    return _detail(request, found, form)


def _detail(request: TenantRequest, found: ReviewRound, form: ChangeForm) -> HttpResponse:
    decided, total = decided_count(found)
    context = {
        "round": found,
        "form": form,
        "corrections": corrections_count(found) if request.membership.may(Action.DATASETS_EDIT) else 0,
        "run": found.run,
        "decided": decided,
        "total": total,
        "assigned": assigned(found),
        "disputes": disputes(found, limit=SHOWN),
        "skips": skips(found)[:SHOWN],
        "left_out": left_out(found).count(),
    }
    return render(request, "evaluations/reviews/rounds/round.html", context)


@require_POST
@members_only(Action.REVIEWS_MANAGE)
def close(request: TenantRequest, round_id: UUID) -> HttpResponse:
    """Take no more grades."""
    close_round(review_round=get_object_or_404(rounds(), pk=round_id))
    return redirect("evaluations:review-round", round_id)


@transaction.non_atomic_requests
@require_POST
@members_only(Action.REVIEWS_MANAGE)
@members_only(Action.DATASETS_EDIT)
def add_corrections(request: TenantRequest, round_id: UUID) -> HttpResponse:
    """Upload the corrected answers to the dataset of the evaluation, and show the preview."""
    found = get_object_or_404(rounds(), pk=round_id)
    try:
        upload = upload_corrections(tenant=request.tenant, review_round=found, created_by=request.membership.user)
    except PortalError as error:
        messages.error(request, error.text)
        return redirect("evaluations:review-round", found.id)
    return redirect("corpora:upload-format", upload.id)
