"""The same saving for a plan: so many adapters, a price, and how long endpoints run in a month."""

from dataclasses import dataclass
from decimal import Decimal

from metering.lifetime.savings import HOURS_A_MONTH, share_saved


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
