"""The list of review rounds."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from evaluations.reviews.queries import listed, rounds_for
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
