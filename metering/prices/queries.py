"""Reads of the price book. However many moments are asked about, they take at most three queries."""

import datetime as dt
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from metering.models import Discount, ExchangeRate, Price, Service
from metering.prices.book import Book, PriceFound
from metering.prices.items import Item
from rest.errors import NotFound

HOUR = dt.timedelta(hours=1)


def book_of(items: Iterable[Item], *, currency: str | None = None) -> Book:
    """All that is recorded about some items, to look up any moment; in the site's currency unless another is named."""
    wanted = list(items)
    names = Q(service__in={item.service for item in wanted}, item__in={item.item for item in wanted})
    target = currency or settings.CURRENCY
    prices = list(Price.objects.filter(names))
    if not prices:
        return Book(currency=target)
    converts = any(price.currency != target for price in prices)
    return Book(
        currency=target,
        prices=prices,
        discounts=list(Discount.objects.filter(service__in={price.service for price in prices})),
        rates=list(ExchangeRate.objects.all()) if converts else (),
    )


def price_at(
    *, service: Service, item: str, region: str = "", at: dt.datetime, currency: str | None = None
) -> PriceFound | None:
    """The price per unit at a moment, in the site's currency unless another is named. None if it is not known.

    The price of an hour is that at its beginning. Once a price of a moment that is over is known, it stays as it is,
    whatever is recorded later.
    """
    return prices_at(service=service, item=item, region=region, at=[at], currency=currency)[0]


def prices_at(
    *, service: Service, item: str, region: str = "", at: Sequence[dt.datetime], currency: str | None = None
) -> list[PriceFound | None]:
    """The same of many moments, in their order."""
    wanted = Item(service=service, item=item, region=region)
    book = book_of([wanted], currency=currency)
    return [book.at(wanted, moment) for moment in at]


def prices_in_hours(
    *, service: Service, item: str, region: str = "", start: dt.datetime, end: dt.datetime
) -> dict[dt.datetime, PriceFound | None]:
    """The price of every hour that begins from `start` up to `end`, by its beginning. Hours are whole ones of UTC."""
    first = start.astimezone(dt.UTC)
    whole = first.replace(minute=0, second=0, microsecond=0)
    whole += HOUR if whole < first else dt.timedelta(0)
    hours = [whole + index * HOUR for index in range(max(0, -((whole - end) // HOUR)))]
    return dict(zip(hours, prices_at(service=service, item=item, region=region, at=hours), strict=True))


def history_of(item: Item) -> list[Price]:
    """All prices ever recorded for an item, the newest first, also those of any region."""
    rows = Price.objects.filter(service=item.service, item=item.item, region__in={"", item.region})
    return list(rows.select_related("recorded_by").order_by("-recorded_at", "-id"))


def discounts() -> list[Discount]:
    """All, the newest first."""
    return list(Discount.objects.select_related("recorded_by").order_by("-recorded_at", "-id"))


def rates() -> list[ExchangeRate]:
    """All exchange rates, the newest first."""
    return list(ExchangeRate.objects.select_related("recorded_by").order_by("-recorded_at", "-id"))


def newest_rows() -> dict[Item, Price]:
    """Everything that has a row in the book, with the last one that was recorded."""
    rows = Price.objects.order_by("service", "item", "region", "-recorded_at").distinct("service", "item", "region")
    return {item_of(row): row for row in rows}


def item_of(row: Price) -> Item:
    """What a row is the price of."""
    return Item(service=Service(row.service), item=row.item, region=row.region)


def price_named(price_id: UUID) -> Price:
    """Raises NotFound."""
    found = Price.objects.filter(id=price_id).first()
    if found is None:
        raise NotFound("Price not found.")
    return found


def discount_named(discount_id: UUID) -> Discount:
    """Raises NotFound."""
    found = Discount.objects.filter(id=discount_id).first()
    if found is None:
        raise NotFound("Discount not found.")
    return found
