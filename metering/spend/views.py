"""The operator's page of costs."""

from decimal import Decimal

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from metering.costs.charts import cost_figure
from metering.models import Grain, ObservedSource
from metering.spend.endpoints import endpoints_between, endpoints_by_day
from metering.spend.months import Month, months
from metering.spend.organisations import charged, movers
from metering.usage.charts import Axis
from metering.usage.queries import Slice
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
