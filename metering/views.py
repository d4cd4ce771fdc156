"""The usage page, the requests behind it, and its costs as a file."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from adapters.models import Adapter
from metering.costs.charts import cost_figure
from metering.costs.export import costs_csv
from metering.costs.over_time import costs_over_time
from metering.costs.queries import costs_of
from metering.lifetime.over_time import adapter_costs_over_time
from metering.models import By, Grain
from metering.observed.page import Beside, beside_cloudwatch
from metering.usage.changes import changes
from metering.usage.page import axis_of, figures_of_page
from metering.usage.periods import periods
from metering.usage.queries import UsageSummary, usage_of
from metering.usage.requests import LONGEST_TO_SORT, ON_A_PAGE, Which, requests_of
from metering.usage.wanted import FILTERS, Wanted, moment, wanted_of
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

LINES_ON_A_PAGE = 25


@require_safe
@members_only(Action.USAGE_VIEW)
def usage(request: TenantRequest) -> HttpResponse:
    """Requests, latency, tokens and cost of a period; what the query doesn't say, or says wrong, is the usual.

    Lines come in pages (`?page=`), the busiest first.
    """
    now = timezone.now()
    wanted = wanted_of(request.GET, now=now)
    summary = usage_of(wanted.slice, wanted.by)
    page = Paginator(summary.lines, LINES_ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "periods": [(one, wanted.with_period(one)) for one in periods(now).values()],
        "breakdowns": [(by, wanted.with_by(by)) for by in FILTERS],
        "wanted": wanted,
        "usage": summary,
        "changes": changes(summary.total, usage_of(wanted.before).total) if wanted.compares else {},
        "lines": [(line, wanted.narrowed(wanted.by, line.name.value)) for line in page],
        "page_obj": page,
        "focus_month": f"{wanted.period.start:%Y-%m}",
        "costs": None if wanted.only else costs_of(wanted.period.start, wanted.period.end),
        "observed": _beside(wanted),
        "figures": _figures(wanted, summary) if summary.total.requests else {},
    }
    return render(request, "metering/usage.html", context)


@require_safe
@members_only(Action.USAGE_VIEW)
def adapter(request: TenantRequest, adapter_id: UUID) -> HttpResponse:
    """The last 30 days of an adapter, as a part of its page."""
    found = get_object_or_404(Adapter, id=adapter_id)
    wanted = wanted_of({"range": "30d", "model": found.name}, now=timezone.now())
    if not request.htmx:
        return redirect(f"{reverse('metering:usage')}?{wanted.query}")
    summary, axis = usage_of(wanted.slice, wanted.by), axis_of(wanted)
    total = summary.series(axis.grain)
    costs = adapter_costs_over_time(found, wanted.slice, axis.grain, total)
    figures = figures_of_page(wanted, summary, axis, total) if summary.total.requests else {}
    context = {"wanted": wanted, "usage": summary, "figures": {**figures, "cost": cost_figure(axis, costs, "USD")}}
    return render(request, "metering/usage/_adapter.html", context)


@require_safe
@members_only(Action.USAGE_VIEW)
def requests(request: TenantRequest) -> HttpResponse:
    """The single requests of a range, such as those behind a point of a chart."""
    wanted = wanted_of(request.GET, now=timezone.now())
    which = next((one for one in Which if one.value == request.GET.get("which")), Which.ALL)
    if wanted.slice.length > LONGEST_TO_SORT and which == Which.SLOWEST:
        which = Which.ALL
    found = requests_of(wanted.slice, which, moment(request.GET.get("before", "")))
    context: dict[str, Any] = {
        "wanted": wanted,
        "which": which,
        "can_sort": wanted.slice.length <= LONGEST_TO_SORT,
        "requests": found,
        "older": found[-1].row.at.isoformat() if len(found) == ON_A_PAGE and which != Which.SLOWEST else "",
    }
    return render(request, "metering/requests.html", context)


@require_safe
@members_only(Action.USAGE_VIEW)
def costs(request: TenantRequest) -> HttpResponse:
    """The costs of a period as CSV."""
    period = wanted_of(request.GET, now=timezone.now()).period
    found = costs_of(period.start, period.end)
    response = HttpResponse(costs_csv(found), content_type="text/csv; charset=utf-8")
    name = f"costs {found.start:%Y-%m-%d %H.%M} to {found.end:%Y-%m-%d %H.%M} UTC.csv"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    return response


def _figures(wanted: Wanted, usage: UsageSummary) -> dict[str, dict[str, Any]]:
    axis = axis_of(wanted)
    total = usage.series(axis.grain)
    costs = costs_over_time(wanted.slice, axis.grain, total)
    return {**figures_of_page(wanted, usage, axis, total), "cost": cost_figure(axis, costs, "USD")}


def _beside(wanted: Wanted) -> Beside | None:
    """CloudWatch has hours of models and versions, and no keys."""
    only = dict(wanted.only)
    if wanted.period.grain != Grain.HOUR or not {*only} <= {By.MODEL, By.VERSION}:
        return None
    alias, _, key = only.get(By.VERSION, "").partition("/")
    if alias and not key:
        return None
    model = only.get(By.MODEL, alias)
    return beside_cloudwatch(wanted.slice.start, wanted.slice.end, model=model, version=UUID(key) if key else None)
