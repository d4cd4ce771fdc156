"""Late use: charged on a later statement, of hours that the operator bore when their month was closed."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Sum
from django.db.models.functions import Trunc

from metering.models import Adjustment, AdjustmentKind, Grain
from metering.usage.figures import MICROS


def late_by_endpoint(start: dt.datetime, end: dt.datetime) -> Mapping[str, Decimal]:
    """US dollars by the name of the endpoint whose hours they are. Call it in the system scope, as the others."""
    return _sums(start, end, "endpoint")


def late_by_tenant(start: dt.datetime, end: dt.datetime) -> Mapping[UUID, Decimal]:
    return _sums(start, end, "tenant")


def late_by_day(start: dt.datetime, end: dt.datetime) -> Mapping[dt.datetime, Decimal]:
    """By the beginning of the day (UTC)."""
    return _sums(start, end, "day")


def _sums(start: dt.datetime, end: dt.datetime, by: str) -> dict[Any, Decimal]:
    late = Adjustment.objects.filter(kind=AdjustmentKind.LATE, hour__gte=start, hour__lt=end).exclude(endpoint="")
    days = late.annotate(day=Trunc("hour", Grain.DAY.value, tzinfo=dt.UTC)).order_by()
    return {key: Decimal(micros) / MICROS for key, micros in days.values_list(by).annotate(Sum("micros"))}
