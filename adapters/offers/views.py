"""The page of base models."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from adapters.models import BaseModel
from adapters.offers.licence import licence_text
from adapters.offers.needs import USUAL
from adapters.offers.offered import offered
from rest.errors import NotFound
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest


@require_safe
@members_only(Action.ADAPTERS_VIEW)
def base_models(request: TenantRequest) -> HttpResponse:
    """What adapters can be trained on, and what each of these is."""
    return render(request, "adapters/base_models.html", {"offered": offered(), "usual": USUAL})


@require_safe
@members_only(Action.ADAPTERS_VIEW)
def licence(request: TenantRequest, base_model_id: UUID) -> HttpResponse:
    """The licence that came with a base model."""
    found = BaseModel.objects.filter(id=base_model_id).first()
    text = licence_text(found) if found else ""
    if not text:
        raise NotFound("There is no licence text for this base model.")
    return HttpResponse(text, content_type="text/plain; charset=utf-8")
