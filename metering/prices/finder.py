"""What the floors below ask the price book: what an hour of their backends costs now, in US dollars."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from django.utils import timezone

from jobs.prices import PLACES, HourlyPrice, Priced
from metering.models import Service
from metering.prices.book import Book
from metering.prices.items import Item
from metering.prices.queries import book_of
from metering.prices.texts import source_text

CURRENCY = "USD"
"""What jobs record, and what REST calls `usd`, whatever the site reports in."""
MOST = Decimal(1_000_000)
"""What a job has room for."""
UNKNOWN = HourlyPrice(usd=None, source="")


def prices_now(wanted: Sequence[Priced]) -> list[HourlyPrice | None]:
    """The `Finder` of jobs and endpoints: at most three queries, however many are asked about.

    None where the book has no price. One in a currency without a rate is unknown, whatever the settings say.
    """
    items = [as_item(one) for one in wanted]
    book, now = book_of(items, currency=CURRENCY), timezone.now()
    return [_hourly(book, item, one.count, now) for item, one in zip(items, wanted, strict=True)]


def as_item(priced: Priced) -> Item:
    """What a backend is priced as, in the book."""
    return Item(service=Service(priced.service), item=priced.item, region=priced.region)


def _hourly(book: Book, item: Item, count: int, now: dt.datetime) -> HourlyPrice | None:
    if book.row_at(item, now) is None:
        return None
    found = book.at(item, now)
    if found is None or found.amount * count >= MOST:
        return UNKNOWN
    return HourlyPrice(usd=(found.amount * count).quantize(PLACES), source=source_text(found))
