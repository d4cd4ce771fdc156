"""Costs of the active tenant, as OpenAI's costs."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Sum

from metering.costs.over_time import costs_over_time
from metering.models import By, Grain, UsageTotal
from metering.openai.buckets import Buckets
from metering.usage.figures import MICROS
from metering.usage.queries import Slice, usage_of

SERVING, IDLE = "Serving", "Idle time"
DOLLARS = "USD"
"""What jobs and judges are paid in, whatever the site's currency."""


class Cost(NamedTuple):
    """An amount of one bucket, by what is paid for. `key` is empty where no API key caused it."""

    at: dt.datetime
    item: str
    key: str
    currency: str
    amount: Decimal


def costs(
    found: Buckets,
    *,
    project: str,
    group_by: Collection[str] = (),
    items: Collection[str] = (),
    keys: Collection[str] = (),
) -> dict[dt.datetime, list[dict[str, Any]]]:
    """Results by day. Amounts in different currencies are not added up."""
    by_item, by_key = "line_item" in group_by, "api_key_id" in group_by
    sums: dict[tuple[dt.datetime, str, str, str], Decimal] = defaultdict(Decimal)
    for cost in _costs(found, by_key=by_key or bool(keys)):
        if (not items or cost.item in items) and (not keys or cost.key in keys):
            item, key = cost.item if by_item else "", cost.key if by_key else ""
            sums[cost.at, item, key, cost.currency] += cost.amount
    results = defaultdict(list)
    for (at, item, key, currency), amount in sorted(sums.items()):
        results[at].append(
            {
                "object": "organization.costs.result",
                "amount": {"value": float(amount), "currency": currency.lower()},
                "line_item": item or None,
                "project_id": project if "project_id" in group_by else None,
                "api_key_id": key or None,
                "quantity": None,
                "quantity_unit": None,
            }
        )
    return results


def _costs(found: Buckets, *, by_key: bool) -> Iterator[Cost]:
    wanted = Slice(start=found.start, end=found.end)
    series = {} if by_key else usage_of(wanted).series(Grain.DAY)
    for item, amounts in costs_over_time(wanted, Grain.DAY, series).items():
        currency = settings.CURRENCY if item in (SERVING, IDLE) else DOLLARS
        for at, amount in amounts.items():
            yield Cost(at, item, "", currency, amount)
    if by_key:
        yield from _serving_by_key(wanted)


def _serving_by_key(wanted: Slice) -> Iterator[Cost]:
    days = UsageTotal.objects.filter(by=By.KEY, grain=Grain.DAY, start__gte=wanted.start, start__lt=wanted.end)
    for at, key, used, idle in (
        days.order_by("start", "value").values_list("start", "value").annotate(Sum("used_micros"), Sum("idle_micros"))
    ):
        for item, micros in ((SERVING, used), (IDLE, idle)):
            if micros:
                yield Cost(at, item, key, settings.CURRENCY, Decimal(micros) / MICROS)
