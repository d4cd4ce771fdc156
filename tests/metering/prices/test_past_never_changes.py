"""Whatever is added to the price book, a price that was known for a time that is over stays as it was."""

import datetime as dt
import uuid
from dataclasses import dataclass, field
from decimal import Decimal

from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from metering.models import Discount, ExchangeRate, Price, PriceSource, Service, Unit
from metering.prices.book import Book
from metering.prices.items import Item
from tests.examples import examples

ITEM = Item(service=Service.HOSTING, item="ml.g5.2xlarge", region="eu-west-1")
START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
HOURS = [START + index * HOUR for index in range(-10, 60)]

Known = dict[dt.datetime, tuple[Decimal, uuid.UUID] | None]


@dataclass
class Written:
    """Rows as the services write them, at `now`."""

    now: dt.datetime = START
    prices: list[Price] = field(default_factory=list)
    discounts: list[Discount] = field(default_factory=list)
    rates: list[ExchangeRate] = field(default_factory=list)

    def known(self) -> Known:
        """What is known about the hours that are over."""
        book = Book(currency="USD", prices=self.prices, discounts=self.discounts, rates=self.rates)
        found = {hour: book.at(ITEM, hour) for hour in HOURS if hour < self.now}
        return {hour: (price.amount, price.price.id) if price else None for hour, price in found.items()}


@st.composite
def spans(draw: DrawFn) -> tuple[dt.timedelta, dt.timedelta | None]:
    """When something begins, before or after it is written, and how long it lasts."""
    length = draw(st.none() | st.integers(1, 30))
    return draw(st.integers(-15, 15)) * HOUR, None if length is None else length * HOUR


amounts = st.decimals(min_value=0, max_value=9, places=1)
writes = st.tuples(
    st.sampled_from(["hand", "aws", "discount", "rate", "end a price", "end a discount"]),
    spans(),
    amounts,
    st.sampled_from(["USD", "EUR"]),
    st.sampled_from(["", "eu-west-1", "us-east-1"]),
    st.integers(0, 240),
)


Write = tuple[str, tuple[dt.timedelta, dt.timedelta | None], Decimal, str, str, int]
ALWAYS = (-15 * HOUR, None)
FIRST: Write = ("hand", ALWAYS, Decimal(2), "USD", "", 0)


@given(st.lists(writes, min_size=2, max_size=14))
@example([FIRST, ("hand", ALWAYS, Decimal(3), "USD", "", 240)])
@example([FIRST, ("aws", ALWAYS, Decimal(3), "USD", "", 240)])
@example([FIRST, ("discount", ALWAYS, Decimal(3), "USD", "", 240)])
@example([FIRST, ("hand", ALWAYS, Decimal(3), "USD", "eu-west-1", 240)])
@example([FIRST, ("end a price", ALWAYS, Decimal(3), "USD", "", 240)])
@example([("hand", ALWAYS, Decimal(2), "EUR", "", 0), ("rate", ALWAYS, Decimal(3), "EUR", "", 60),
          ("rate", ALWAYS, Decimal(4), "EUR", "", 240)])  # fmt: skip
@settings(max_examples=examples(200), deadline=None)
def test_what_is_known_of_the_past_stays(history: list[Write]) -> None:
    book = Written()
    for what, (offset, length), amount, currency, region, minutes in history:
        book.now += dt.timedelta(minutes=minutes, microseconds=1)
        before = book.known()
        start = book.now + offset
        end = None if length is None else start + length
        dated = {"valid_from": start, "recorded_at": book.now}
        if what == "hand":
            book.prices.append(_price(PriceSource.HAND, amount, currency, region, valid_until=end, **dated))
        elif what == "aws":
            book.prices.append(_price(PriceSource.AWS, amount, "USD", "eu-west-1", **dated))
        elif what == "discount":
            percent = amount * 10 + 1
            discount = Discount(service=Service.HOSTING, percent=percent, valid_until=end, reason="Plan", **dated)
            book.discounts.append(discount)
        elif what == "rate":
            pair = ("EUR", "USD") if region else ("USD", "EUR")
            book.rates.append(ExchangeRate(currency=pair[0], into=pair[1], rate=amount + 1, **dated))
        else:
            rows: list[Price] | list[Discount] = book.prices if what == "end a price" else book.discounts
            for row in rows[-1:]:
                row.ended_at = row.ended_at or book.now
        after = book.known()
        assert {hour: after[hour] for hour, found in before.items() if found} == {
            hour: found for hour, found in before.items() if found
        }


def _price(source: PriceSource, amount: Decimal, currency: str, region: str, **dated: dt.datetime | None) -> Price:
    return Price(
        service=Service.HOSTING,
        item="ml.g5.2xlarge",
        region=region,
        unit=Unit.HOUR,
        amount=amount,
        currency=currency,
        source=source,
        **dated,
    )
