"""Which price holds at which time. Pure: the rows are given, and no two of a table were recorded at the same time,
unless they are of different items.

A row counts for a moment if it holds then, by these rules in this order:

1. What was recorded by then comes before what was recorded later. So the price of a time that is over can never
   change, whatever is recorded.
2. A price set by hand comes before that of AWS's list, and one of the region before one of any. Of those set by hand
   the one that starts last comes first, of AWS's the one that was recorded last.
3. Where nothing had been recorded by then, the first row that was recorded later and covers it fills the gap.

Of the discounts that had been recorded by then, the greatest counts; they are not added up. Exchange rates follow the
rules of prices.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from metering.models import Discount, ExchangeRate, Price, PriceSource, Unit
from metering.models.prices import Dated
from metering.prices.items import Item

D = TypeVar("D", bound=Dated)
ONE = Decimal(1)


@dataclass(frozen=True, kw_only=True)
class PriceFound:
    """`amount` is per `unit` in `currency`: the list price times the rate, less the discount. It is not rounded.

    `rate` is None where list price and price have the same currency, `discount` where none counts.
    """

    amount: Decimal
    currency: str
    unit: Unit
    price: Price
    rate: Decimal | None = None
    discount: Discount | None = None

    @property
    def list_amount(self) -> Decimal:
        """In `list_currency`, without discount."""
        return self.price.amount

    @property
    def list_currency(self) -> str:
        return self.price.currency

    @property
    def source(self) -> PriceSource:
        return PriceSource(self.price.source)

    @property
    def captured_at(self) -> dt.datetime:
        return self.price.recorded_at


@dataclass(frozen=True, kw_only=True)
class Book:
    """Rows of the price book, as far as they matter for what is asked, and the currency of the answers."""

    currency: str
    prices: Sequence[Price] = ()
    discounts: Sequence[Discount] = ()
    rates: Sequence[ExchangeRate] = ()

    def at(self, item: Item, moment: dt.datetime) -> PriceFound | None:
        """The price at a moment; None where no price, or no rate into the currency, is known."""
        found = self.row_at(item, moment)
        if found is None:
            return None
        rate = self.rate_at(found.currency, moment)
        if rate is None:
            return None
        discount = self._discount_at(item, moment)
        share = ONE - discount.percent / 100 if discount else ONE
        return PriceFound(
            amount=found.amount * rate * share,
            currency=self.currency,
            unit=Unit(found.unit),
            price=found,
            rate=None if found.currency == self.currency else rate,
            discount=discount,
        )

    def row_at(self, item: Item, moment: dt.datetime) -> Price | None:
        """The price's row, whether or not its currency can be converted."""
        return _at((row for row in self.prices if _is_of(row, item)), moment, order=_precedence)

    def rate_at(self, currency: str, moment: dt.datetime) -> Decimal | None:
        """What one unit of a currency was worth in that of the book; None if nobody recorded it."""
        if currency == self.currency:
            return ONE
        pair = {currency, self.currency}
        found = _at((row for row in self.rates if {row.currency, row.into} == pair), moment, order=_newest)
        if found is None:
            return None
        return found.rate if found.currency == currency else ONE / found.rate

    def known_since(self, item: Item, start: dt.datetime, end: dt.datetime) -> dt.datetime | None:
        """When, from `start` up to `end`, the item first has a price; None if it never has."""
        starts = (row.valid_from for row in self.prices if _is_of(row, item))
        return next((moment for moment in _moments(starts, start, end) if self.row_at(item, moment)), None)

    def rate_known_since(self, currency: str, start: dt.datetime, end: dt.datetime) -> dt.datetime | None:
        """The same of the exchange rate."""
        moments = _moments((row.valid_from for row in self.rates), start, end)
        return next((moment for moment in moments if self.rate_at(currency, moment)), None)

    def _discount_at(self, item: Item, moment: dt.datetime) -> Discount | None:
        """Those that were recorded later don't count: they would change a price that was known."""
        counting = (
            row
            for row in self.discounts
            if row.service == item.service
            and row.item in ("", item.item)
            and row.recorded_at <= moment
            and _holds(row, moment)
        )
        return max(counting, key=lambda row: (row.percent, row.recorded_at), default=None)


def _at(rows: Iterable[D], moment: dt.datetime, *, order: Callable[[D], Any]) -> D | None:
    holding = [row for row in rows if _holds(row, moment)]
    recorded_by_then = [row for row in holding if row.recorded_at <= moment]
    if recorded_by_then:
        return max(recorded_by_then, key=order)
    return min(holding, key=lambda row: row.recorded_at, default=None)


def _holds(row: Dated, moment: dt.datetime) -> bool:
    ends = (getattr(row, "valid_until", None), getattr(row, "ended_at", None))
    return row.valid_from <= moment and all(end is None or moment < end for end in ends)


def _is_of(row: Price, item: Item) -> bool:
    return (row.service, row.item) == (item.service, item.item) and row.region in ("", item.region)


def _precedence(row: Price) -> Any:
    # AWS's list holds as a whole: what it said last counts, also where it went back to an older price.
    by_hand = row.source == PriceSource.HAND
    return (by_hand, row.region != "", *(_newest(row) if by_hand else (row.recorded_at, row.valid_from)))


def _newest(row: Dated) -> Any:
    return (row.valid_from, row.recorded_at)


def _moments(starts: Iterable[dt.datetime], start: dt.datetime, end: dt.datetime) -> list[dt.datetime]:
    """`start`, and the starts between it and `end`: what is unknown becomes known at one of these only."""
    return sorted({start, *(one for one in starts if start < one < end)}) if start < end else []
