"""The operator's pages of costs, and of how an endpoint was used."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from metering.costs.charts import cost_figure
from metering.models import Grain, ObservedSource
from metering.spend.charts import adapters_figure, machines_figure, memory_figure, requests_figure, used_figure
from metering.spend.endpoints import endpoints_between, endpoints_by_day
from metering.spend.months import Month, months
from metering.spend.organisations import charged, movers
from metering.spend.use import HourOfUse, stays, use_over_time
from metering.usage.charts import Axis
from metering.usage.periods import periods
from metering.usage.queries import Slice
from serving.operator.options import slots_of
from serving.operator.queries import endpoint_of, line_of
from tenants.access import operators_only
from tenants.scope import system_scope

LINES_ON_A_PAGE = 25
MOST_MOVERS = 5


@require_safe
@operators_only
def index(request: HttpRequest) -> HttpResponse:
    """A month: endpoints by who bears them, organisations by what they were charged, and what has changed."""
    now = timezone.now()
    month = Month.of(request.GET.get("month", ""), now)
    with system_scope():
        endpoints = endpoints_between(month.start, month.end)
        days = endpoints_by_day(month.start, month.end)
        found = charged((month.start, month.end), (month.before.start, month.before.end))
    page = Paginator(found, LINES_ON_A_PAGE).get_page(request.GET.get("page"))
    axis = Axis(wanted=Slice(start=month.start, end=month.end), grain=Grain.DAY)
    context = {
        "month": month,
        "months": months(now),
        "endpoints": endpoints,
        "total": sum((one.total for one in endpoints), Decimal(0)),
        "not_charged": sum((one.operator for one in endpoints), Decimal(0)),
        "hours_without_price": sum(one.hours_without_price for one in endpoints),
        "charged_total": sum((one.total for one in found), Decimal(0)),
        "movers": movers(found, MOST_MOVERS),
        "page_obj": page,
        "failing": ObservedSource.objects.exclude(error_code=""),
        "figure": cost_figure(axis, days, "USD") if endpoints else None,
    }
    return render(request, "metering/spend/index.html", context)


@require_safe
@operators_only
def use(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """An endpoint over time (`?range=`): its adapters, its time, and what a cloud saw of its machines."""
    now = timezone.now()
    offered = {key: one for key, one in periods(now).items() if one.grain == Grain.HOUR}
    period = offered.get(request.GET.get("range", "")) or offered["7d"]
    found = endpoint_of(endpoint_id)
    axis = Axis(wanted=Slice.touching(period.start, period.end), grain=Grain.HOUR)
    hours = use_over_time(found, axis.wanted)
    page = Paginator(stays(found, axis.wanted, now=now), LINES_ON_A_PAGE).get_page(request.GET.get("page"))
    # 0 says no more than in slots, which is not what is counted here.
    room = (slots_of(found) or None) if line_of(found).backend else None
    context = {
        "endpoint": found,
        "period": period,
        "periods": list(offered.values()),
        "figures": list(_figures_of_use(axis, hours, room)) if hours else [],
        "page_obj": page,
    }
    return render(request, "metering/spend/use.html", context)


def _figures_of_use(axis: Axis, hours: dict[dt.datetime, HourOfUse], room: int | None) -> Iterator[dict[str, Any]]:
    """Each with its place on the page, without those that have nothing to show."""
    found = (
        ("adapters", "Adapters over time", "The most at a time", adapters_figure(axis, hours, room=room)),
        ("used", "Time used", "Share of each hour’s cost that somebody used", used_figure(axis, hours)),
        ("memory", "Memory", "The most that each part took, as the engine says", memory_figure(axis, hours)),
        ("machines", "GPU and memory", "Means of CloudWatch’s figures", machines_figure(axis, hours)),
        ("concurrency", "Requests at a time", "The most on an instance, by CloudWatch", requests_figure(axis, hours)),
    )
    for key, title, note, figure in found:
        if any(value is not None for trace in figure["data"] for value in trace["y"]):
            yield {"id": key, "title": title, "note": note, "figure": figure}
