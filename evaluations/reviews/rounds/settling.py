"""The page on which whoever manages reviews settles an answer on which experts disagree."""

from dataclasses import dataclass, replace
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from evaluations.models import Review, RoundItem, RoundState
from evaluations.reviews.forms import given_by
from evaluations.reviews.queries import disputes
from evaluations.reviews.queue.given import shown_choice
from evaluations.reviews.queue.services import adjudicate
from evaluations.reviews.screen import form_fields, on_screen
from rest.errors import PortalError
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

SIDES = {"first": "A is better", "second": "B is better", "tie": "Equally good"}


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """An expert's review; `verdict` names the answers of a pair as they stand on the page."""

    review: Review
    verdict: str


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.REVIEWS_MANAGE)
def settle(request: TenantRequest, item_id: UUID) -> HttpResponse:
    """What experts said of an answer, and the last word on it. Then the next disagreement of the round, if any."""
    related = ("round__rubric_version", "round__run__dataset_version__dataset", "item", "answer", "other")
    item = get_object_or_404(RoundItem.objects.select_related(*related), pk=item_id)
    reviews = Review.objects.filter(round_item=item).select_related("reviewer", "rubric_version__rubric")
    settled = next((review for review in reviews if review.is_adjudication), None)
    error = refused = None
    if item.round.state != RoundState.OPEN and request.method != "POST":
        return redirect("evaluations:review-round", item.round_id)
    if request.method == "POST":
        # The page has no marks: those of an earlier settlement stay.
        given = replace(given_by(request.POST, form_fields(item)), marks=settled.marks if settled else ())
        try:
            adjudicate(item=item, adjudicator=request.membership.user, given=given)
        except PortalError as problem:
            error, refused = problem, given
        else:
            return _next(item)
    context = {
        "round": item.round,
        "one": on_screen(item, None if error else settled, refused),
        "opinions": [
            Opinion(review=review, verdict=SIDES.get(shown_choice(review.choice, item), str(review)))
            for review in reviews.order_by("created_at")
        ],
        "error": error,
        "posted": request.POST,
    }
    return render(request, "evaluations/reviews/rounds/settle.html", context, status=400 if error else 200)


def _next(item: RoundItem) -> HttpResponse:
    """The disagreement after this one, else the first that is left, else the round."""
    left = disputes(item.round, limit=1, after=item.position) or disputes(item.round, limit=1)
    if not left:
        return redirect("evaluations:review-round", item.round_id)
    return redirect("evaluations:settle", left[0].item.id)
