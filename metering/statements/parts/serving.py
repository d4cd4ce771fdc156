"""Lines of what was used of endpoints, and of the part of idle time that is borne."""

import datetime as dt
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from metering.models import EndpointHour, HourlyUsage, IdlePolicy, Method
from metering.statements.parts.lines import MICROS, Line, counted, hours, plain
from tenants.scope import active_tenant_id

INSTANCE_HOUR = "instance-hour"
NO_PRICE, NOT_SHARED = "No price set", "Not shared yet"
UNKNOWN_MODELS = "Unknown models"

_SUMS = """
    SELECT u.alias, u.endpoint, h.price_per_hour, coalesce(h.price_source, ''), sum(u.requests), sum(u.unpriced),
        sum(u.used_micros), sum(u.idle_micros), sum(u.busy_us)
    FROM metering_hourlyusage u LEFT JOIN metering_endpointhour h ON h.endpoint = u.endpoint AND h.hour = u.hour
    WHERE u.tenant_id = %s AND u.hour >= %s AND u.hour < %s AND u.endpoint <> ''
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 4, 3
"""


class _Sums(NamedTuple):
    """Of one model on one endpoint, in the hours that had one price."""

    alias: str
    endpoint: str
    price: Decimal | None
    source: str
    requests: int
    unpriced: int
    used_micros: int
    idle_micros: int
    busy_us: int


def serving_lines(start: dt.datetime, end: dt.datetime) -> list[Line]:
    """The active tenant's, by model, endpoint and price. Quantities are parts of the endpoint's running time."""
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, [active_tenant_id(), start, end])
        found = [_Sums(*row[:4], *map(int, row[4:])) for row in cursor.fetchall()]
    lines = (line for sums in found for line in (_used(sums), _idle(sums), _unknown(sums)))
    return [line for line in lines if line is not None]


def _used(sums: _Sums) -> Line | None:
    if sums.price is None or not (sums.used_micros or (sums.busy_us and sums.unpriced < sums.requests)):
        return None
    # Of an endpoint that is free of charge, what was used can't be told from what it cost.
    used = plain(sums.used_micros / sums.price / MICROS) if sums.price else hours(sums.busy_us / 1e6)
    return Line(
        kind="serving",
        group=sums.alias or UNKNOWN_MODELS,
        title=f"Serving on {sums.endpoint}",
        detail=counted(sums.requests - sums.unpriced, "request"),
        quantity=used,
        unit=INSTANCE_HOUR,
        unit_price=plain(sums.price),
        price_source=sums.source,
        micros=sums.used_micros,
    )


def _idle(sums: _Sums) -> Line | None:
    if not sums.idle_micros or not sums.price:
        return None
    return Line(
        kind="idle",
        group=sums.alias or UNKNOWN_MODELS,
        title=f"Idle time of {sums.endpoint}",
        quantity=plain(sums.idle_micros / sums.price / MICROS),
        unit=INSTANCE_HOUR,
        unit_price=plain(sums.price),
        price_source=sums.source,
        micros=sums.idle_micros,
    )


def _unknown(sums: _Sums) -> Line | None:
    if not sums.unpriced:
        return None
    return Line(
        kind="serving",
        group=sums.alias or UNKNOWN_MODELS,
        title=f"Serving on {sums.endpoint}",
        quantity=str(sums.unpriced),
        unit="request",
        price_source=NO_PRICE if sums.price is None else NOT_SHARED,
    )


MEASURES = {
    Method.STEPS: "the endpoint’s own time for each answer",
    Method.TOKENS: "their input and output tokens",
}
BEARERS = {
    IdlePolicy.OPERATOR: "the operator of this site bears",
    IdlePolicy.USE: "those who used it bear by their use",
    IdlePolicy.EQUALLY: "all adapters on it bear equally",
}


def sharing_text(start: dt.datetime, end: dt.datetime) -> str:
    """How the hours of the active tenant's endpoints were shared, in two sentences; empty if it used none."""
    usage = HourlyUsage.objects.filter(hour__gte=start, hour__lt=end).exclude(endpoint="")
    of_endpoints = EndpointHour.objects.filter(endpoint__in=usage.order_by().values("endpoint"))
    shared = of_endpoints.filter(hour__gte=start, hour__lt=end).exclude(method="").order_by()
    pairs = set(shared.values_list("method", "idle_policy").distinct())
    if not pairs:
        return ""
    measures = " or ".join(text for method, text in MEASURES.items() if method in {pair[0] for pair in pairs})
    bearers = " or ".join(text for policy, text in BEARERS.items() if policy in {pair[1] for pair in pairs})
    return (
        "What an endpoint costs in an hour is its running time at the price of that hour; the part that was used is "
        f"shared among those who used it by {measures}. The rest of the hour is idle time, which {bearers}; all parts "
        "sum to the cost of the hour to the millionth."
    )
