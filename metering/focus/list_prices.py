"""What an endpoint's hour would have cost without a discount, and where the endpoint is."""

import datetime as dt
from decimal import Decimal
from typing import NamedTuple

from metering.prices.book import Book
from metering.prices.finder import CURRENCY, as_item
from metering.prices.items import Item
from metering.prices.queries import book_of
from serving.endpoints.queries import EndpointNotSetUp, backend_of
from serving.models import Endpoint

PLACES = Decimal("0.000001")
"""Of the prices that hours keep."""


class Listed(NamedTuple):
    amount: Decimal
    region: str


class ListPrices:
    """By endpoint and hour, from the price book, each endpoint's rows read once."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Item, Book] | None] = {}

    def of(self, endpoint: str, hour: dt.datetime, price: Decimal) -> Listed:
        """The list price of an hour that cost `price`; the same where the book does not say how that came about."""
        if endpoint not in self._known:
            self._known[endpoint] = _look_up(endpoint)
        known = self._known[endpoint]
        if known is None:
            return Listed(price, "")
        item, book = known
        found = book.at(item, hour)
        # An endpoint may have had other instances then, and hours keep no more than what one cost.
        if found is None or found.amount.quantize(PLACES) != price:
            return Listed(price, item.region)
        return Listed((found.list_amount * (found.rate or 1)).quantize(PLACES), item.region)


def _look_up(endpoint: str) -> tuple[Item, Book] | None:
    row = Endpoint.objects.filter(name=endpoint).first()
    if row is None:
        return None
    try:
        item = as_item(backend_of(row).priced)
    except EndpointNotSetUp:
        return None
    return item, book_of([item], currency=CURRENCY)
