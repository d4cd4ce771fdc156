"""The operator's pages: the sums of all organisations in a month, closing it, and adjustments. No line is seen here."""

import datetime as dt
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from metering.ledger.months import month_of
from metering.models import ClosedMonth
from metering.statements.forms import AdjustmentForm
from metering.statements.months import key_of, parsed_month, title_of
from metering.statements.queries import blockers, open_months, row_of, site_months, tenants_in
from metering.statements.services import add_adjustment, begin_closing, finish_closing
from rest.errors import NotFound, PortalError
from tenants.access import operators_only
from tenants.audit.actor import acting_as, operator
from tenants.models import Tenant, User
from tenants.requests import PortalRequest
from tenants.scope import system_scope, tenant_scope

TENANTS_ON_A_PAGE = 25


@require_safe
@operators_only
def index(request: HttpRequest) -> HttpResponse:
    """The organisations of a month (`?month=2026-10`), by default the first open one, and what blocks closing it."""
    month = _month(request.GET.get("month", "")) or open_months()[0]
    with system_scope():
        tenants = tenants_in(month)
    page = Paginator(tenants, TENANTS_ON_A_PAGE).get_page(request.GET.get("page"))
    closed = ClosedMonth.objects.filter(month=month).first()
    months = site_months()
    context = {
        "key": key_of(month),
        "title": title_of(month),
        "months": [(key_of(one), title_of(one)) for one in months],
        "rows": [row_of(tenant, month) for tenant in page],
        "page_obj": page,
        "closed": closed,
        "blockers": blockers(month),
    }
    return render(request, "metering/statements/operator/list.html", context)


@require_POST
@transaction.non_atomic_requests
@operators_only
def close(request: PortalRequest) -> HttpResponse:
    """Close a month of the whole site."""
    month = _month(request.POST.get("month", ""))
    if month is None:
        raise NotFound("There is no such month.")
    try:
        with acting_as(operator(request.user)):
            begin_closing(month=month, closed_by=cast(User, request.user))
            finish_closing(month=month)
    except PortalError as error:
        messages.error(request, error.text)
    else:
        messages.success(request, f"{title_of(month)} is closed.")
    return _back(month)


@require_http_methods(["GET", "HEAD", "POST"])
@operators_only
def adjust(request: PortalRequest, tenant_id: UUID) -> HttpResponse:
    """The form of an adjustment on an organisation's statement of an open month (`?month=2026-10`)."""
    month = _month(request.GET.get("month", "")) or month_of(timezone.now())
    with system_scope():
        tenant = Tenant.objects.filter(id=tenant_id).first()
    if tenant is None:
        raise NotFound("Organisation not found.")
    form = AdjustmentForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            with transaction.atomic(), tenant_scope(tenant.id), acting_as(operator(request.user)):
                add_adjustment(tenant=tenant, month=month, created_by=cast(User, request.user), **form.cleaned_data)
        except PortalError as error:
            error.show_on(form)
        else:
            messages.success(request, f"Adjustment added for {tenant}.")
            return _back(month)
    context: dict[str, Any] = {"form": form, "tenant": tenant, "key": key_of(month), "title": title_of(month)}
    return render(request, "metering/statements/operator/adjust.html", context)


def _month(text: str) -> dt.date | None:
    """The month that is named, None if none is, or one that the site has no statements of."""
    try:
        found = parsed_month(text)
    except ValueError:
        return None
    return found if found in site_months() else None


def _back(month: dt.date) -> HttpResponse:
    return redirect(f"{reverse('statements:list')}?month={key_of(month)}")
