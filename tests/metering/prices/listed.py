"""A price list in memory, and runs that are priced by an instance."""

import datetime as dt
from collections.abc import Collection
from decimal import Decimal

from jobs.backends.local import LocalCompute
from jobs.prices import Priced
from metering.backends.price_lists import ListedPrice, PriceList, PriceListError, Wanted


class Listed(PriceList):
    """One price for every instance of `services`; or it is away."""

    services: tuple[str, ...] = ("hosting",)
    away = False

    def prices(self, wanted: Collection[Wanted]) -> list[ListedPrice]:
        if self.away:
            raise PriceListError("The list is away.", temporary=True)
        since = dt.datetime(2026, 8, 1, tzinfo=dt.UTC)
        return [
            ListedPrice(wanted=one, amount=Decimal("1.2"), currency="USD", effective_from=since, reference="A line")
            for one in wanted
            if one.service in self.services
        ]


class InCloud(LocalCompute):
    """Without a price of its own."""

    @property
    def priced(self) -> Priced:
        return Priced(service="training", item="ml.g6e.xlarge", region="eu-west-1")
