"""The price of an endpoint."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from serving.endpoints.queries import backend_of
from serving.models import Endpoint


@dataclass(frozen=True, kw_only=True)
class HostingPrice:
    """For an hour of one instance, in the site's currency; `source` is in a customer's words."""

    amount: Decimal
    source: str


def hosting_price(endpoint: str, hour: dt.datetime) -> HostingPrice | None:
    """The price of an hour of an endpoint, None if it is not known."""
    found = Endpoint.objects.filter(name=endpoint).first()
    if found is None:
        return None
    backend = backend_of(found)
    if not backend.usd_per_hour:
        return None
    amount = Decimal(str(backend.usd_per_hour)) / max(1, backend.instances)
    return HostingPrice(amount=amount, source=backend.price_source or "Set by your site’s operator")
