"""The usage page, and its costs as a file."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from metering.costs.export import costs_csv
from metering.costs.queries import costs_of
from metering.usage.charts import latency_figure, requests_figure
from metering.usage.periods import Period, periods
from metering.usage.queries import Slice, usage_of
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

LINES_ON_A_PAGE = 25


@require_safe
@members_only(Action.USAGE_VIEW)
def usage(request: TenantRequest) -> HttpResponse:
    """Requests, latency, tokens and cost of a period; an unknown one falls back to the shortest.

    Models and versions come in pages (`?page=`), the busiest first.
    """
    offered, chosen = _periods(request)
    wanted = Slice.touching(chosen.start, chosen.end)
    summary = usage_of(wanted)
    series = summary.series(chosen.grain)
    page = Paginator(summary.lines, LINES_ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "periods": offered,
        "period": chosen,
        "usage": summary,
        "page_obj": page,
        "costs": costs_of(chosen.start, chosen.end),
        "requests_figure": requests_figure(wanted, chosen.grain, series),
        "latency_figure": latency_figure(wanted, chosen.grain, series),
    }
    return render(request, "metering/usage.html", context)


@require_safe
@members_only(Action.USAGE_VIEW)
def costs(request: TenantRequest) -> HttpResponse:
    """The costs of a period as CSV."""
    _, chosen = _periods(request)
    found = costs_of(chosen.start, chosen.end)
    response = HttpResponse(costs_csv(found), content_type="text/csv; charset=utf-8")
    name = f"costs {found.start:%Y-%m-%d %H.%M} to {found.end:%Y-%m-%d %H.%M} UTC.csv"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    return response


def _periods(request: TenantRequest) -> tuple[list[Period], Period]:
    """Those that are offered, and the one asked for."""
    offered = periods(timezone.now())
    shortest, *_ = found = list(offered.values())
    return found, offered.get(request.GET.get("range", ""), shortest)
