"""The list of review rounds."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from evaluations.reviews.digest import is_digest_wanted, want_digest
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
    found = listed(list(rounds_for(person, manages=manages).prefetch_related("run__models")[:ROUNDS_SHOWN]), person)
    context = {
        "queues": found,
        "manages": manages,
        "is_assigned": any(one.is_assigned for one in found),
        "digest": settings.SENDS_EMAIL and is_digest_wanted(person),
        "sends_email": settings.SENDS_EMAIL,
    }
    return render(request, "evaluations/reviews/list.html", context)


@require_POST
@members_only(Action.REVIEWS_GRADE)
def digest(request: TenantRequest) -> HttpResponse:
    """Turn this person's daily e-mail on (`wanted`) or off."""
    want_digest(tenant=request.tenant, reviewer=request.membership.user, is_wanted="wanted" in request.POST)
    return redirect("evaluations:reviews")
