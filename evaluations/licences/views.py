"""Beginning a licence anew."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from evaluations.licences.services import begin_licence_anew
from evaluations.models import Licence
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest


@require_POST
@members_only(Action.JUDGES_MANAGE)
def anew(request: TenantRequest, licence_id: UUID) -> HttpResponse:
    """After an alarm is handled."""
    licence = get_object_or_404(Licence.objects.all(), pk=licence_id)
    begin_licence_anew(licence=licence, by=request.membership.user)
    messages.success(request, "A new licence has begun. Experts have to grade new answers.")
    if licence.judge_id:
        return redirect("evaluations:judge", licence.judge_id)
    return redirect("evaluations:shared-judge", licence.alias) if licence.alias else redirect("evaluations:judges")
