"""Measures every hour what each organisation has in storage.

The objects are listed in steps. A step's sums and the key that it came to are written together, so that a listing that
is killed goes on where it was, and two at once count nothing twice. An hour whose listing was not finished within the
next one is never measured: nobody knows any more what was there.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from metering.ledger.lock import wait_for_turn
from metering.ledger.months import month_of
from metering.models import ClosedMonth, Grain, Service, StorageHour, StorageListing
from metering.prices.finder import CURRENCY
from metering.prices.items import Item
from metering.prices.queries import book_of
from metering.prices.texts import source_text
from metering.stored.owners import kind_of, owners_of
from metering.usage.ranges import HOUR, begin_of
from storage.backends.s3 import Stored
from storage.listing import LOCAL, objects_of, storage_region
from tenants.models import Tenant
from tenants.scope import active_tenant_id, system_scope, tenant_scope

AT_ONCE = 5000
"""Objects in a step."""
MOST_STEPS = 40
"""In a task; the next one goes on."""
MOST_PRICES = 1000
"""Hours without a price that are looked up at a time."""
PRICE_PLACES = Decimal(10) ** -10


def tenants_to_measure() -> list[UUID]:
    """Organisations whose storage has not been measured in this hour."""
    this_hour = begin_of(Grain.HOUR, timezone.now())
    with system_scope():
        measured = StorageListing.objects.filter(hour=this_hour).exclude(finished_at=None).values("tenant")
        return list(Tenant.objects.exclude(id__in=measured).order_by("id").values_list("id", flat=True))


def measure(*, tenant_id: UUID) -> None:
    """Measure an organisation's storage in this hour, or go on with it, also with the hour before.

    May run twice at once. Raises StorageUnavailable.
    """
    this_hour = begin_of(Grain.HOUR, timezone.now())
    with tenant_scope(tenant_id):
        begun = StorageListing.objects.filter(hour=this_hour - HOUR, finished_at=None).exists()
        for hour in (this_hour - HOUR, this_hour) if begun else (this_hour,):
            for _ in range(MOST_STEPS):
                if _step(hour):
                    break


def price_again() -> int:
    """Look up the prices of hours that had none. Returns for how many rows one was found."""
    with system_scope():
        unknown = StorageHour.objects.filter(price=None).order_by("-hour", "storage_class")
        wanted = list(unknown.values_list("hour", "storage_class").distinct()[:MOST_PRICES])
        found = _prices(wanted)
        return sum(
            StorageHour.objects.filter(price=None, hour=hour, storage_class=storage_class).update(
                price=price, price_source=source
            )
            for (hour, storage_class), (price, source) in found.items()
        )


def _step(hour: dt.datetime) -> bool:
    """List some more objects. Returns whether nothing is left to do."""
    listing, _ = StorageListing.objects.get_or_create(hour=hour)
    if listing.finished_at is not None:
        return True
    found = objects_of(active_tenant_id(), after=listing.after, most=AT_ONCE)
    owners = owners_of(one.key for one in found)
    with transaction.atomic():
        # Of whoever closes the month of this hour.
        wait_for_turn()
        locked = StorageListing.objects.select_for_update().get(pk=listing.pk)
        if locked.finished_at is not None or locked.after != listing.after:
            return locked.finished_at is not None
        if ClosedMonth.objects.filter(month=month_of(hour)).exists():
            return True
        locked.sums = _added(locked.sums, ((kind_of(one.key), owners.get(one.key, ""), one) for one in found))
        if len(found) == AT_ONCE:
            locked.after = found[-1].key
        else:
            locked.finished_at = timezone.now()
            _write(hour, locked.sums)
        locked.save(update_fields=["after", "sums", "finished_at"])
    return locked.finished_at is not None


def _added(sums: list[list[str | int]], objects: Iterable[tuple[str, str, Stored]]) -> list[list[str | int]]:
    total: Counter[tuple[str, str, str]] = Counter()
    for kind, adapter, storage_class, size in sums:
        total[str(kind), str(adapter), str(storage_class)] += int(size)
    for kind, adapter, one in objects:
        total[kind, adapter, one.storage_class] += one.bytes
    return [[*key, size] for key, size in sorted(total.items())]


def _write(hour: dt.datetime, sums: list[list[str | int]]) -> None:
    prices = _prices({(hour, str(storage_class)) for _, _, storage_class, _ in sums})
    rows = []
    for kind, adapter, storage_class, size in sums:
        price, source = prices.get((hour, str(storage_class)), (None, ""))
        rows.append(
            StorageHour(
                hour=hour, kind=kind, adapter=adapter, storage_class=storage_class, bytes=size, price=price,
                price_source=source,
            )
        )  # fmt: skip
    StorageHour.objects.bulk_create(row for row in rows if row.bytes)


def _prices(wanted: Iterable[tuple[dt.datetime, str]]) -> dict[tuple[dt.datetime, str], tuple[Decimal, str]]:
    """Of hours and storage classes, those whose price is known, with its source."""
    items = {key: item_of(key[1]) for key in wanted}
    book = book_of(items.values(), currency=CURRENCY)
    found, local = {}, settings.LOCAL_STORAGE_PRICE_USD_PER_GB_MONTH
    for key, item in items.items():
        hour, storage_class = key
        price = book.at(item, hour)
        if price is not None:
            found[key] = price.amount.quantize(PRICE_PLACES), source_text(price)
        elif storage_class == LOCAL and local is not None and book.row_at(item, hour) is None:
            found[key] = Decimal(str(local)).quantize(PRICE_PLACES), settings.LOCAL_PRICE_SOURCE
    return found


def item_of(storage_class: str) -> Item:
    """What a storage class is in the price book."""
    return Item(service=Service.STORAGE, item=storage_class, region=storage_region())
