"""The price book at a glance: what lacks a price, and what counts now."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from metering.models import Discount, ExchangeRate, Price
from metering.prices.book import PriceFound
from metering.prices.in_use import InUse, in_use
from metering.prices.items import Item
from metering.prices.queries import book_of, discounts, newest_rows, rates
from metering.prices.texts import source_text


@dataclass(frozen=True, kw_only=True)
class Line:
    """An item's price now. `row` is that of the book, `found` what it comes to in the site's currency.

    `settings` is set where the price of the settings counts. None of the three: the item has no price now. `newest` is
    the row that was recorded last, which may be of another time.
    """

    item: Item
    newest: Price | None
    row: Price | None
    found: PriceFound | None
    settings: InUse | None

    @property
    def source(self) -> str:
        """Where the price is from, in words."""
        if self.found is not None:
            return source_text(self.found)
        return (self.settings.settings_source or "Settings of this site") if self.settings else ""

    @property
    def settings_amount(self) -> Decimal | None:
        """US dollars for a unit of the item, where the price of the settings counts."""
        usd = self.settings.settings_usd if self.settings else None
        return None if usd is None else Decimal(str(usd))

    @property
    def ends_at(self) -> dt.datetime | None:
        """When the price ends by itself."""
        return self.row.valid_until if self.row else None


@dataclass(frozen=True, kw_only=True)
class Overview:
    """`missing` is in use and has no price. `discounts` are those that are not over, `rates` the last of each pair."""

    currency: str
    missing: list[InUse]
    lines: list[Line]
    discounts: list[Discount]
    rates: list[ExchangeRate]


def overview() -> Overview:
    """Reads the book, the endpoints and the settings."""
    used, now = in_use(), timezone.now()
    missing = [one for one in used if one.is_unknown]
    newest = newest_rows()
    by_item = {one.item: one for one in used}
    unpriced = {one.item for one in missing if not one.lacks_rate}
    items = sorted({*by_item, *newest} - unpriced, key=lambda item: (item.service.label, item.item, item.region))
    book = book_of(items)
    lines = []
    for item in items:
        row = book.row_at(item, now)
        line = Line(
            item=item,
            newest=newest.get(item),
            row=row,
            found=book.at(item, now),
            settings=None if row else by_item.get(item),
        )
        lines.append(line)
    return Overview(
        currency=settings.CURRENCY,
        missing=missing,
        lines=lines,
        discounts=[one for one in discounts() if not is_over(one, now)],
        rates=_last_of_each(rates(), now),
    )


def is_over(row: Price | Discount, now: dt.datetime) -> bool:
    """Whether it was ended, or its time is over."""
    return row.ended_at is not None or (row.valid_until is not None and row.valid_until <= now)


def _last_of_each(found: list[ExchangeRate], now: dt.datetime) -> list[ExchangeRate]:
    """The rate of each pair that counts now, and those to come."""
    to_come = [rate for rate in found if rate.valid_from > now]
    begun = sorted(
        (rate for rate in found if rate.valid_from <= now), key=lambda rate: (rate.valid_from, rate.recorded_at)
    )
    last = {frozenset((rate.currency, rate.into)): rate for rate in begun}
    return sorted([*last.values(), *to_come], key=lambda rate: (rate.currency, rate.into, rate.valid_from))
