"""The page of alerts, and what people do about one."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from metering.alerts.forms import AcknowledgeForm, SnoozeForm
from metering.alerts.queries import alert_named, alerts
from metering.alerts.services import acknowledge_alert, reopen_alert, snooze_alert
from metering.models import Alert
from rest.errors import PortalError
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

PAGE_SIZE = 25


@require_safe
@members_only(Action.USAGE_VIEW)
def index(request: TenantRequest) -> HttpResponse:
    """Open alerts, or with `?show=all` also those that have ended."""
    shows_all = request.GET.get("show") == "all"
    found = alerts() if shows_all else alerts().open()  # type: ignore[attr-defined]
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "metering/alerts/list.html", {"page_obj": page, "shows_all": shows_all})


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.USAGE_VIEW)
def acknowledge(request: TenantRequest, alert_id: UUID) -> HttpResponse:
    """Say that somebody looks after an alert."""
    alert = alert_named(alert_id)
    form = AcknowledgeForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        acknowledge_alert(alert=alert, by=request.membership.user, note=form.cleaned_data["note"])
        messages.success(request, "Alert acknowledged.")
        return redirect("alerts:list")
    return _form(request, form, alert, "Acknowledge alert")


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.USAGE_VIEW)
def snooze(request: TenantRequest, alert_id: UUID) -> HttpResponse:
    """Do not point at an alert until a time."""
    alert = alert_named(alert_id)
    form = SnoozeForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            snooze_alert(alert=alert, until=form.cleaned_data["until"])
        except PortalError as error:
            error.show_on(form)
        else:
            messages.success(request, "Alert snoozed.")
            return redirect("alerts:list")
    return _form(request, form, alert, "Snooze alert")


@require_POST
@members_only(Action.USAGE_VIEW)
def reopen(request: TenantRequest, alert_id: UUID) -> HttpResponse:
    """Take back that an alert was acknowledged or snoozed."""
    reopen_alert(alert=alert_named(alert_id))
    messages.success(request, "Alert reopened.")
    return redirect("alerts:list")


def _form(request: HttpRequest, form: Form, alert: Alert, title: str) -> HttpResponse:
    return render(request, "metering/alerts/form.html", {"form": form, "alert": alert, "title": title})
