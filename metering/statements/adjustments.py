"""Lines of adjustments: credits and corrections by the operator, and use that was counted too late."""

import datetime as dt

from django.db.models import Sum

from metering.models import Adjustment, AdjustmentKind
from metering.statements.months import title_of
from metering.statements.parts.lines import ADJUSTMENT, Line

GROUP = "Adjustments"
BY_OPERATOR = "Set by your site’s operator"
LATE = "Counted after the month was closed, at the price of its hours"
LATE_LINE = "Known after the month was closed"


def adjustment_lines(month: dt.date) -> list[Line]:
    """The active tenant's, on the statement of a month: late use by the month and the adapter it is from."""
    return [*_late(month), *_late_lines(month), *_by_operator(month)]


def _late(month: dt.date) -> list[Line]:
    late = Adjustment.objects.filter(month=month, kind=AdjustmentKind.LATE).exclude(endpoint="")
    sums = late.order_by("of_month", "alias", "endpoint").values_list("of_month", "alias", "endpoint")
    return [
        Line(
            kind=ADJUSTMENT,
            group=GROUP,
            title=f"Late requests of {title_of(of_month)} for {alias or 'unknown models'} on {endpoint}",
            quantity=str(requests),
            unit="request",
            price_source=LATE,
            micros=micros,
        )
        for of_month, alias, endpoint, micros, requests in sums.annotate(Sum("micros"), Sum("requests"))
    ]


def _late_lines(month: dt.date) -> list[Line]:
    """Storage and judges, by the month and the line that they are from."""
    late = Adjustment.objects.filter(month=month, kind=AdjustmentKind.LATE, endpoint="")
    sums = late.order_by("of_month", "reason").values_list("of_month", "reason").annotate(Sum("micros"))
    return [
        Line(
            kind=ADJUSTMENT,
            group=GROUP,
            title=f"Late in {title_of(of_month)}: {reason}",
            price_source=LATE_LINE,
            micros=micros,
        )
        for of_month, reason, micros in sums
    ]


def _by_operator(month: dt.date) -> list[Line]:
    found = Adjustment.objects.filter(month=month, kind=AdjustmentKind.CREDIT).order_by("created_at", "id")
    return [
        Line(
            kind=ADJUSTMENT,
            group=GROUP,
            title=one.reason,
            detail=_when(one),
            price_source=BY_OPERATOR,
            micros=one.micros,
        )
        for one in found
    ]


def _when(one: Adjustment) -> str:
    day = one.created_at.astimezone(dt.UTC).date()
    entered = f"Entered on {day.day} {day:%b %Y}"
    return f"{entered}, for {title_of(one.of_month)}" if one.of_month else entered
