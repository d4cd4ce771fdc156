"""What storage costs: GB-months at the price of each hour, in parts that sum to the whole.

A GB is 2^30 bytes, and an hour is a part of its own calendar month (UTC), as AWS counts them.
"""

import calendar
import datetime as dt
import math
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Sum
from django.db.models.functions import Trunc
from django.utils import timezone

from metering.costs.lines import CostLine
from metering.costs.shares import largest_remainder
from metering.models import Grain, StorageHour, StorageListing
from metering.usage.figures import MICROS
from metering.usage.ranges import HOUR, begin_of
from storage.listing import LOCAL, STANDARD

KIND = "storage"
GB = 2**30
PLACES = Decimal("0.000001")
BASIS = "GB-months × price per GB-month, measured every hour"
NO_PRICE = "No price set"
HOURS_OF_ALL_MONTHS = math.lcm(*(24 * days for days in (28, 29, 30, 31)))


class StorageRate(NamedTuple):
    """A line of storage: one storage class at one price. `price` is in US dollars per GB-month, None if not known."""

    tenant_id: UUID
    storage_class: str
    price: Decimal | None
    source: str


@dataclass(frozen=True, kw_only=True)
class StoragePart:
    """Of a line, what one adapter (empty: none) had in storage from `at` on. `micros` is None without a price."""

    rate: StorageRate
    adapter: str
    at: dt.datetime
    gb_months: Decimal
    micros: int | None


def storage_parts(
    start: dt.datetime, end: dt.datetime, grain: Grain = Grain.MONTH, *, of: Collection[UUID] | None = None
) -> list[StoragePart]:
    """Between two whole hours, by adapter and day, hour or month; of these organisations, or of the active tenant.

    The parts of a rate sum to its whole, which is rounded once, to the millionth of a dollar.
    """
    lines: dict[StorageRate, list[tuple[str, dt.datetime, int]]] = defaultdict(list)
    for tenant_id, storage_class, price, source, adapter, at, size in _sums(start, end, grain, of):
        # Whole numbers, so that every way to add them up is exact.
        weight = int(size) * (HOURS_OF_ALL_MONTHS // hours_in_month(at))
        lines[StorageRate(tenant_id, storage_class, price, source)].append((adapter, at, weight))
    return [part for rate, sums in lines.items() for part in _parts(rate, sums)]


def storage_lines(parts: Iterable[StoragePart]) -> list[CostLine]:
    """One line for each rate."""
    groups: dict[StorageRate, list[StoragePart]] = defaultdict(list)
    for part in parts:
        groups[part.rate].append(part)
    return [_line(rate, groups[rate]) for rate in sorted(groups, key=lambda one: (one.storage_class, one.source))]


def hours_not_measured(start: dt.datetime, end: dt.datetime) -> int:
    """Hours of the active tenant that are over and whose storage nobody measured, since it was first measured."""
    finished = StorageListing.objects.exclude(finished_at=None)
    first = finished.order_by("hour").values_list("hour", flat=True).first()
    if first is None:
        return 0
    begin, stop = max(start, first), min(end, begin_of(Grain.HOUR, timezone.now()))
    expected = max(0, (stop - begin) // HOUR)
    return expected - finished.filter(hour__gte=begin, hour__lt=stop).count() if expected else 0


def title_of(storage_class: str) -> str:
    """As in "Storage" or "Storage (STANDARD_IA)"."""
    return "Storage" if storage_class in (STANDARD, LOCAL) else f"Storage ({storage_class})"


def hours_in_month(moment: dt.datetime) -> int:
    """Of the calendar month (UTC) of a moment."""
    utc = moment.astimezone(dt.UTC)
    return 24 * calendar.monthrange(utc.year, utc.month)[1]


def _sums(start: dt.datetime, end: dt.datetime, grain: Grain, of: Collection[UUID] | None) -> Any:
    hours = StorageHour.objects.filter(hour__gte=start, hour__lt=end)
    hours = hours if of is None else hours.filter(tenant__in=of)
    timed = hours.annotate(at=Trunc("hour", grain.value, tzinfo=dt.UTC))
    keys = ("tenant", "storage_class", "price", "price_source", "adapter", "at")
    return timed.order_by(*keys).values_list(*keys).annotate(Sum("bytes"))


def _parts(rate: StorageRate, sums: list[tuple[str, dt.datetime, int]]) -> Iterable[StoragePart]:
    weights = [weight for _, _, weight in sums]
    amounts: list[int] | list[None] = [None] * len(sums)
    if rate.price is not None:
        micros = round(_gb_months(sum(weights)) * Fraction(rate.price) * MICROS)
        amounts = largest_remainder(micros, weights)
    for (adapter, at, weight), amount in zip(sums, amounts, strict=True):
        exact = _gb_months(weight)
        quantity = Decimal(exact.numerator) / Decimal(exact.denominator)
        yield StoragePart(rate=rate, adapter=adapter, at=at, gb_months=quantity, micros=amount)


def _gb_months(weight: int) -> Fraction:
    return Fraction(weight, GB * HOURS_OF_ALL_MONTHS)


def _line(rate: StorageRate, parts: list[StoragePart]) -> CostLine:
    micros = sum(part.micros or 0 for part in parts)
    return CostLine(
        kind=KIND,
        title=title_of(rate.storage_class),
        basis=BASIS,
        price_source=NO_PRICE if rate.price is None else rate.source,
        usd=None if rate.price is None else (Decimal(micros) / MICROS).quantize(PLACES),
        gb_months=sum((part.gb_months for part in parts), Decimal(0)).quantize(PLACES),
        usd_per_gb_month=rate.price,
    )
