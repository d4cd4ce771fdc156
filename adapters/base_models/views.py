"""The page of base models."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from adapters.base_models.offered import RANK, offered
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest


@require_safe
@members_only(Action.ADAPTERS_VIEW)
def base_models(request: TenantRequest) -> HttpResponse:
    """What adapters can be trained on, and what each of these is."""
    return render(request, "adapters/base_models.html", {"offered": offered(), "rank": RANK})
