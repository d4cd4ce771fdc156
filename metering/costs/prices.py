"""The price of an endpoint in an hour."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from metering.prices.finder import CURRENCY, as_item
from metering.prices.queries import book_of
from metering.prices.texts import source_text
from serving.endpoints.queries import backend_of
from serving.models import Endpoint


@dataclass(frozen=True, kw_only=True)
class HostingPrice:
    """For an hour of one instance, in US dollars; `source` is in a customer's words."""

    amount: Decimal
    source: str


def hosting_price(endpoint: str, hour: dt.datetime) -> HostingPrice | None:
    """The price of an hour of an endpoint: the price book's, or else that of the settings. None if it is not known."""
    found = Endpoint.objects.filter(name=endpoint).first()
    if found is None:
        return None
    backend = backend_of(found)
    item = as_item(backend.priced)
    book = book_of([item], currency=CURRENCY)
    if book.row_at(item, hour) is not None:
        price = book.at(item, hour)
        return HostingPrice(amount=price.amount, source=source_text(price)) if price else None
    if backend.usd_per_hour is None:
        return None
    amount = Decimal(str(backend.usd_per_hour)) / max(1, backend.priced.count)
    return HostingPrice(amount=amount, source=backend.price_source)
