"""The usage page."""

import datetime as dt

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from metering.costs.queries import costs_of
from metering.usage.charts import latency_figure, requests_figure
from metering.usage.queries import usage_of
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

LINES_ON_A_PAGE = 25
RANGES = {
    "24h": ("24 hours", dt.timedelta(hours=24)),
    "7d": ("7 days", dt.timedelta(days=7)),
    "30d": ("30 days", dt.timedelta(days=30)),
}


@require_safe
@members_only(Action.USAGE_VIEW)
def usage(request: TenantRequest) -> HttpResponse:
    """Requests, latency, tokens and cost of the last hours or days; an unknown range falls back to the shortest.

    Models and versions come in pages (`?page=`), the busiest first.
    """
    chosen = request.GET.get("range", "")
    chosen = chosen if chosen in RANGES else "24h"
    now = timezone.now()
    start = now - RANGES[chosen][1]
    summary = usage_of(start, now)
    page = Paginator(summary.lines, LINES_ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "ranges": [(key, title, key == chosen) for key, (title, _) in RANGES.items()],
        "range_title": RANGES[chosen][0],
        "usage": summary,
        "page_obj": page,
        "costs": costs_of(start, now, usage=summary),
        "requests_figure": requests_figure(summary),
        "latency_figure": latency_figure(summary),
    }
    return render(request, "metering/usage.html", context)
