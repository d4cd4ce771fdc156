"""The cases that sources publish, with the price of their day."""

from dataclasses import dataclass
from decimal import Decimal

import pytest

from metering.lifetime.savings import share_saved

HOURS_A_MONTH = 730
G5_2XLARGE = Decimal("1.515")
"""US dollars an hour for hosting in us-east-1, August 2026."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A month of `adapters` apart, one instance each, and together on `instances`. Prices are per instance-hour."""

    adapters: int
    price_per_hour: Decimal
    hours: Decimal = Decimal(HOURS_A_MONTH)
    instances: int = 1
    shared_price_per_hour: Decimal | None = None
    shared_hours: Decimal | None = None

    @property
    def apart(self) -> Decimal:
        return self.adapters * self.price_per_hour * self.hours

    @property
    def together(self) -> Decimal:
        price = self.price_per_hour if self.shared_price_per_hour is None else self.shared_price_per_hour
        return self.instances * price * (self.hours if self.shared_hours is None else self.shared_hours)

    @property
    def share(self) -> float:
        """Of what they cost apart, how much is saved."""
        return share_saved(self.apart, self.together)

    @property
    def by_sharing_alone(self) -> float:
        """The same with equal prices and hours: what is left is a cheaper instance, or one that runs less."""
        return share_saved(Decimal(self.adapters), Decimal(self.instances))


def test_sixteen_adapters_on_one_instance() -> None:
    plan = Scenario(adapters=16, price_per_hour=G5_2XLARGE)
    assert plan.share == plan.by_sharing_alone == 0.9375
    assert (plan.apart, plan.together) == (Decimal("17695.200"), Decimal("1105.950"))


def test_ten_customers_on_one_endpoint() -> None:
    assert Scenario(adapters=10, price_per_hour=G5_2XLARGE).share == pytest.approx(0.9)


def test_12000_against_450_dollars_is_more_than_sharing_saves() -> None:
    """12,000 dollars are eleven such endpoints all month. One alone costs 1,106: 450 needs one that runs 41% of it."""
    plan = Scenario(adapters=11, price_per_hour=G5_2XLARGE, shared_hours=Decimal("297"))
    assert plan.apart == pytest.approx(Decimal(12_000), rel=Decimal("0.02"))
    assert plan.together == pytest.approx(Decimal(450), rel=Decimal("0.001"))
    assert plan.share == pytest.approx(1 - 450 / 12_000, abs=0.001)
    assert plan.by_sharing_alone == pytest.approx(1 - 1 / 11)
    cheaper = Scenario(adapters=11, price_per_hour=G5_2XLARGE, shared_price_per_hour=Decimal("0.616"))
    assert cheaper.together == pytest.approx(Decimal(450), rel=Decimal("0.001"))


def test_an_endpoint_for_one_adapter_saves_nothing() -> None:
    assert Scenario(adapters=1, price_per_hour=Decimal(1)).share == 0
    assert Scenario(adapters=1, price_per_hour=Decimal(1), instances=2).share == -1
