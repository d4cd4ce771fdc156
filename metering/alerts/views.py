"""The page of alerts."""

import datetime as dt
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from metering.alerts.forms import SNOOZES, AcknowledgeForm, SnoozeForm
from metering.alerts.queries import alert_by_id, alerts
from metering.alerts.services import acknowledge, reopen, snooze
from rest.errors import PortalError
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

PAGE_SIZE = 25


@require_safe
@members_only(Action.USAGE_VIEW)
def index(request: TenantRequest) -> HttpResponse:
    """All alerts, newest first."""
    page = Paginator(alerts(), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page_obj": page,
        "snoozes": SNOOZES.items(),
        "now": timezone.now(),
        "may_handle": request.membership.may(Action.ALERTS_HANDLE),
    }
    return render(request, "metering/alerts/list.html", context)


@require_POST
@members_only(Action.ALERTS_HANDLE)
def acknowledge_one(request: TenantRequest, alert_id: UUID) -> HttpResponse:
    """Somebody knows."""
    form = AcknowledgeForm(request.POST)
    if not form.is_valid():
        raise PortalError("Notes have 300 characters at most.", code="alert:note", field="note")
    acknowledge(alert=alert_by_id(alert_id), person=request.membership.user, note=form.cleaned_data["note"])
    messages.success(request, "Acknowledged.")
    return redirect("metering:alerts")


@require_POST
@members_only(Action.ALERTS_HANDLE)
def snooze_one(request: TenantRequest, alert_id: UUID) -> HttpResponse:
    """Say nothing of it for a while."""
    form = SnoozeForm(request.POST)
    if not form.is_valid():
        raise PortalError("Choose for how long.", code="alert:bad_time", field="days")
    until = timezone.now() + dt.timedelta(days=int(form.cleaned_data["days"]))
    snooze(alert=alert_by_id(alert_id), until=until)
    messages.success(request, "Snoozed.")
    return redirect("metering:alerts")


@require_POST
@members_only(Action.ALERTS_HANDLE)
def reopen_one(request: TenantRequest, alert_id: UUID) -> HttpResponse:
    """It is to be looked at again."""
    reopen(alert=alert_by_id(alert_id))
    messages.success(request, "Opened again.")
    return redirect("metering:alerts")
