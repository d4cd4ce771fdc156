"""Costs of the active tenant, as OpenAI's costs."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Sum

from metering.costs.over_time import costs_over_time
from metering.models import By, Grain, UsageTotal
from metering.openai.buckets import Buckets
from metering.usage.figures import MICROS
from metering.usage.queries import Slice, usage_of

SERVING, IDLE = "Serving", "Idle time"


class Cost(NamedTuple):
    """US dollars of one bucket, by what is paid for. `key` is empty where no API key caused it."""

    at: dt.datetime
    item: str
    key: str
    usd: Decimal


def costs(
    found: Buckets,
    *,
    project: str,
    group_by: Collection[str] = (),
    items: Collection[str] = (),
    keys: Collection[str] = (),
) -> dict[dt.datetime, list[dict[str, Any]]]:
    """Results by day."""
    by_item, by_key = "line_item" in group_by, "api_key_id" in group_by
    sums: dict[tuple[dt.datetime, str, str], Decimal] = defaultdict(Decimal)
    for cost in _costs(found, by_key=by_key or bool(keys)):
        if (not items or cost.item in items) and (not keys or cost.key in keys):
            sums[cost.at, cost.item if by_item else "", cost.key if by_key else ""] += cost.usd
    results = defaultdict(list)
    for (at, item, key), usd in sorted(sums.items()):
        results[at].append(
            {
                "object": "organization.costs.result",
                "amount": {"value": float(usd), "currency": "usd"},
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
        for at, usd in amounts.items():
            yield Cost(at, item, "", usd)
    if by_key:
        yield from _serving_by_key(wanted)


def _serving_by_key(wanted: Slice) -> Iterator[Cost]:
    days = UsageTotal.objects.filter(by=By.KEY, grain=Grain.DAY, start__gte=wanted.start, start__lt=wanted.end)
    summed = days.order_by("start", "value").values_list("start", "value")
    for at, key, used, idle in summed.annotate(Sum("used_micros"), Sum("idle_micros")):
        for item, micros in ((SERVING, used), (IDLE, idle)):
            if micros:
                yield Cost(at, item, key, Decimal(micros) / MICROS)
