"""What sharing endpoints saves against an endpoint of its own for each adapter, with the arithmetic open."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from uuid import UUID

import numpy as np
from django.db.models import Q

from metering.models import EndpointHour
from metering.usage.figures import MICROS
from metering.usage.queries import Slice, usage_of
from serving.models import Deployment

HOUR_MS = 3_600_000
Span = tuple[dt.datetime, dt.datetime]


@dataclass(frozen=True, kw_only=True)
class Apart:
    """Adapters on endpoints of their own at one price: `hours` of all of them together."""

    endpoint: str
    hours: Decimal
    price_per_hour: Decimal

    @property
    def usd(self) -> Decimal:
        return self.hours * self.price_per_hour


@dataclass(frozen=True, kw_only=True)
class Saving:
    """What a range cost on shared endpoints, and what it would have cost apart: None if no price is known.

    Apart, each adapter has one instance of the same type while it is there, at the same price, whether it is asked or
    not. Adapters are counted, not their versions.
    """

    slice: Slice
    apart: list[Apart]
    usd_together: Decimal
    hours_without_price: Decimal = Decimal(0)

    @property
    def usd_apart(self) -> Decimal | None:
        return sum((part.usd for part in self.apart), Decimal(0)) if self.apart else None

    @property
    def share(self) -> float | None:
        """Of the cost apart, how much is saved; negative if sharing cost more."""
        return share_saved(self.usd_apart, self.usd_together) if self.usd_apart else None


def share_saved(apart: Decimal, together: Decimal) -> float:
    """1 − together / apart."""
    return float(1 - together / apart)


def saving(wanted: Slice) -> Saving:
    """Of the active tenant, whose part of the shared endpoints is what it was charged."""
    adapter_ms: dict[tuple[str, Decimal], int] = defaultdict(int)
    without_price = 0
    hours = EndpointHour.objects.filter(hour__gte=wanted.start, hour__lt=wanted.end).order_by("endpoint", "hour")
    held = _held(wanted)
    for endpoint, group in groupby(hours, key=attrgetter("endpoint")):
        rows = list(group)
        for row, ms in zip(rows, _adapter_ms(rows, held[endpoint]), strict=True):
            if row.price_per_hour is None:
                without_price += ms
            elif ms:
                adapter_ms[endpoint, row.price_per_hour] += ms
    total = usage_of(wanted).total
    return Saving(
        slice=wanted,
        apart=[
            Apart(endpoint=endpoint, price_per_hour=price, hours=Decimal(ms) / HOUR_MS)
            for (endpoint, price), ms in sorted(adapter_ms.items())
        ],
        usd_together=Decimal(total.used_micros + total.idle_micros) / MICROS,
        hours_without_price=Decimal(without_price) / HOUR_MS,
    )


def _held(wanted: Slice) -> dict[str, list[Span]]:
    """By endpoint, when each adapter was there, from its first moment: versions that overlap are one."""
    there = Deployment.objects.filter(Q(deleted_at=None) | Q(deleted_at__gt=wanted.start), in_service_at__lt=wanted.end)
    spans: dict[tuple[str, UUID], list[Span]] = defaultdict(list)
    names = ("endpoint__name", "version__adapter", "in_service_at", "deleted_at")
    for endpoint, adapter, begin, end in there.order_by("in_service_at").values_list(*names):
        merged, last = spans[endpoint, adapter], end or wanted.end
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((begin, last))
    found: dict[str, list[Span]] = defaultdict(list)
    for (endpoint, _), merged in spans.items():
        found[endpoint] += merged
    return found


def _adapter_ms(rows: Sequence[EndpointHour], spans: Iterable[Span]) -> list[int]:
    """For each hour of an endpoint, the milliseconds that adapters were on it while it was up, added up."""
    starts = np.array([int(row.hour.timestamp() * 1000) for row in rows], np.int64)
    up = np.array([row.up_ms for row in rows], np.int64)
    found = np.zeros(len(rows), np.int64)
    for begin, end in spans:
        first, last = int(begin.timestamp() * 1000), int(end.timestamp() * 1000)
        there = np.minimum(last, starts + HOUR_MS) - np.maximum(first, starts)
        found += up * np.clip(there, 0, HOUR_MS) // HOUR_MS
    return [int(ms) for ms in found]
