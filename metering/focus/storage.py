"""What organisations have in storage, by adapter and day or hour."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

from django.db.models import Min
from django.utils import timezone

from metering.costs.storage import StoragePart, storage_parts, title_of
from metering.focus.charges import Charge
from metering.focus.organisations import Organisations
from metering.focus.periods import Month
from metering.focus.unknown import NO_PRICE, Unknown
from metering.models import Grain, StorageListing
from metering.usage.ranges import HOUR, begin_of
from storage.listing import storage_region

CATEGORY, SUBCATEGORY = "Storage", "Object Storage"
UNIT = "GiB-Months"
"""FOCUS says GiB for 2^30 bytes, and GB for 10^9."""
PLACES = Decimal(10) ** -12
NOT_MEASURED = "Storage was not measured"


def storage_charges(month: Month, organisations: Organisations) -> Iterator[Charge]:
    """Lines of the page of costs, each divided among adapters and days or hours."""
    for part in storage_parts(month.start, month.end, month.grain, of=organisations.ids()):
        price, micros = part.rate.price, part.micros
        if price is None or micros is None:
            continue
        start, end = month.period_of(part.at)
        title = title_of(part.rate.storage_class)
        yield Charge(
            start=start,
            end=end,
            part="Storage",
            description=f"{title}: {part.adapter}" if part.adapter else title,
            service="Storage",
            category=CATEGORY,
            subcategory=SUBCATEGORY,
            micros=micros,
            quantity=part.gb_months.quantize(PLACES),
            unit=UNIT,
            unit_price=price,
            list_unit_price=price,
            price_source=part.rate.source,
            sku=f"storage/{part.rate.storage_class}",
            meter="Stored bytes",
            organisation=organisations.get(part.rate.tenant_id),
            resource_id=resource_id(part),
            resource_name=part.adapter or None,
            resource_type="Storage",
            region=storage_region(),
            tags={"adapter": part.adapter} if part.adapter else None,
        )


def storage_unknown(month: Month, organisations: Organisations) -> Iterator[Unknown]:
    """Storage without a price, and hours in which it was not measured."""
    for part in storage_parts(month.start, month.end, month.grain, of=organisations.ids()):
        if part.micros is None:
            start, end = month.period_of(part.at)
            yield Unknown(
                start=start, end=end, organisation=organisations.get(part.rate.tenant_id), service="Storage",
                resource_id=resource_id(part), quantity=part.gb_months.quantize(PLACES), unit=UNIT, reason=NO_PRICE,
            )  # fmt: skip
    yield from _gaps(month, organisations)


def resource_id(part: StoragePart) -> str:
    return f"storage/{part.rate.tenant_id}{f'/{part.adapter}' if part.adapter else ''}"


def _gaps(month: Month, organisations: Organisations) -> Iterator[Unknown]:
    """Hours that are over, since an organisation's storage was first measured."""
    finished = StorageListing.objects.filter(tenant__in=organisations.ids()).exclude(finished_at=None).order_by()
    first = dict(finished.values_list("tenant").annotate(Min("hour")))
    measured: dict[UUID, set[dt.datetime]] = defaultdict(set)
    for tenant_id, hour in finished.filter(hour__gte=month.start, hour__lt=month.end).values_list("tenant", "hour"):
        measured[tenant_id].add(hour)
    over = begin_of(Grain.HOUR, timezone.now())
    for tenant_id, begin in first.items():
        for start, end in month.periods():
            missing = _missing(max(start, begin), min(end, over), measured[tenant_id])
            if missing:
                yield Unknown(
                    start=start, end=end, organisation=organisations.get(tenant_id), service="Storage",
                    resource_id=f"storage/{tenant_id}", quantity=Decimal(missing), unit="Hours", reason=NOT_MEASURED,
                )  # fmt: skip


def _missing(start: dt.datetime, end: dt.datetime, measured: set[dt.datetime]) -> int:
    hours = (start + number * HOUR for number in range(max(0, (end - start) // HOUR)))
    return sum(hour not in measured for hour in hours)
