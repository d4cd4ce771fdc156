"""What an hour of a backend costs. The floor that keeps prices registers how to find out; this floor knows no prices.

In an `AppConfig.ready`: `register(prices_now)`, where `prices_now` is a `Finder`. Where it knows none, the price of the
settings counts.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

HOURS_A_MONTH = 730
"""On average."""
PLACES = Decimal("0.0001")


@dataclass(frozen=True, kw_only=True)
class Priced:
    """What is paid for by the hour: `count` times an `item` of a service, "training" or "hosting".

    The item is an instance type, and `region` where it is, or else the alias of the backend.
    """

    service: str
    item: str
    region: str = ""
    count: int = 1


@dataclass(frozen=True, kw_only=True)
class HourlyPrice:
    """US dollars per hour, with at most four decimal places, and where they are from. None if no price is known."""

    usd: Decimal | None
    source: str

    @property
    def usd_per_month(self) -> Decimal | None:
        """What it costs when it is there all the time."""
        return None if self.usd is None else self.usd * HOURS_A_MONTH


class HasPrice(Protocol):
    """A backend: what it is priced as, and its price of the settings (None without one) with its source."""

    usd_per_hour: float | None
    price_source: str

    @property
    def priced(self) -> Priced: ...


Finder = Callable[[Sequence[Priced]], Sequence[HourlyPrice | None]]

_finders: list[Finder] = []


def register(finder: Finder) -> None:
    """Ask `finder` what things cost now, in their order; None for what it has no price for."""
    if finder not in _finders:
        _finders.append(finder)


def price_of(backend: HasPrice) -> HourlyPrice:
    """What an hour of a backend costs now."""
    return prices_of([backend])[0]


def prices_of(backends: Sequence[HasPrice]) -> list[HourlyPrice]:
    """The same of several, which are looked up together."""
    found: Sequence[HourlyPrice | None] = [None] * len(backends)
    if _finders and backends:
        found = _finders[-1]([backend.priced for backend in backends])
    return [price or _of_settings(backend) for price, backend in zip(found, backends, strict=True)]


def total_or_unknown(amounts: Iterable[float | None]) -> float | None:
    """The sum; None if one of them is not known."""
    known = list(amounts)
    return None if None in known else sum(amount for amount in known if amount is not None)


def stated(usd_per_hour: float, source: str) -> float | None:
    """The price of the settings: 0 without a source means that none is set."""
    return usd_per_hour if usd_per_hour or source else None


def _of_settings(backend: HasPrice) -> HourlyPrice:
    usd = backend.usd_per_hour
    if usd is None:
        return HourlyPrice(usd=None, source="")
    return HourlyPrice(usd=Decimal(str(usd)).quantize(PLACES), source=backend.price_source)
