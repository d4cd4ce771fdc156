"""The reviewers' screens: their rounds, and one answer at a time. They show neither models nor metrics."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from evaluations.models import ReviewRound
from evaluations.reviews.forms import GRADES, GradeForm
from evaluations.reviews.queries import listed, progress_of, rounds_for
from evaluations.reviews.queue.given import Given
from evaluations.reviews.queue.services import next_items, record_review
from evaluations.reviews.queue.shown import own_item, shown_items
from rest.errors import PortalError
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

ROUNDS_SHOWN = 50


@require_safe
@members_only(Action.REVIEWS_GRADE)
def reviews(request: TenantRequest) -> HttpResponse:
    """The rounds in which this person grades, or all for those who manage reviews."""
    person, manages = request.membership.user, request.membership.may(Action.REVIEWS_MANAGE)
    found = listed(list(rounds_for(person, manages=manages)[:ROUNDS_SHOWN]), person)
    return render(request, "evaluations/reviews/list.html", {"queues": found, "manages": manages})


@require_safe
@members_only(Action.REVIEWS_GRADE)
def review(request: TenantRequest, round_id: UUID) -> HttpResponse:
    """This person's next answer."""
    person = request.membership.user
    found = rounds_for(person, manages=request.membership.may(Action.REVIEWS_MANAGE))
    return _show(request, get_object_or_404(found, pk=round_id))


@require_POST
@members_only(Action.REVIEWS_GRADE)
def grade(request: TenantRequest, item_id: UUID) -> HttpResponse:
    """Save this person's grade and show the next answer."""
    reviewer = request.membership.user
    item = own_item(item_id, reviewer)
    form = GradeForm(request.POST)
    if form.is_valid():
        try:
            record_review(item=item, reviewer=reviewer, given=Given(**form.cleaned_data))
        except PortalError as error:
            error.show_on(form)
    if not form.is_valid():
        return _show(request, item.round, form)
    return _show(request, item.round) if request.htmx else redirect("evaluations:review", item.round_id)


def _show(request: TenantRequest, review_round: ReviewRound, form: GradeForm | None = None) -> HttpResponse:
    """One answer, or the notice that all are graded. For htmx, only the part that changes."""
    reviewer = request.membership.user
    items, _ = shown_items(next_items(review_round=review_round, reviewer=reviewer), reviewer)
    context: dict[str, object] = {
        "round": review_round,
        "progress": progress_of(review_round, reviewer),
        "grades": GRADES,
    }
    if items:
        context |= {"item": items[0], "form": form or GradeForm()}
    whole = not request.htmx or request.htmx.history_restore_request
    template = "evaluations/reviews/review.html" if whole else "evaluations/reviews/_review.html"
    # htmx puts an answer with an error status aside, so a form with errors comes as 200 to it.
    return render(request, template, context, status=400 if form is not None and whole else 200)
