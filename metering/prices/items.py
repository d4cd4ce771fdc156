"""What has a price."""

from dataclasses import dataclass

from metering.models import UNITS, Service, Unit


@dataclass(frozen=True, kw_only=True)
class Item:
    """An item of a service; `region` is empty for what has none, such as an alias of the settings."""

    service: Service
    item: str
    region: str = ""

    @property
    def unit(self) -> Unit:
        """What its price is for."""
        return UNITS[self.service]

    def __str__(self) -> str:
        return f"{self.item} in {self.region}" if self.region else self.item
