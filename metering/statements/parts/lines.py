"""A line of a statement."""

from dataclasses import dataclass
from decimal import Decimal

from evaluations.models import PaidTo

MICROS = 1_000_000
SECONDS_IN_AN_HOUR = 3600
PLACES = Decimal("0.000001")


@dataclass(frozen=True, kw_only=True)
class Line:
    """Something that was paid for. `micros` are millionths of the statement's currency; None: the cost is unknown.

    `group` is what the lines beside it have in common, such as the name of an adapter. `quantity` is in `unit`s, each
    at `unit_price` if there is one price. Numbers are texts, so that they stay as they were written.
    """

    kind: str
    group: str
    title: str
    detail: str = ""
    quantity: str = ""
    unit: str = ""
    unit_price: str = ""
    price_source: str = ""
    paid_to: str = PaidTo.SITE.value
    micros: int | None = None


ADJUSTMENT = "adjustment"
"""The kind of a line that is not of the month's own use."""


def hours(seconds: float | Decimal) -> str:
    """Seconds as hours, to a millionth."""
    return plain(Decimal(seconds) / SECONDS_IN_AN_HOUR)


def plain(number: Decimal) -> str:
    """As in "1.515": at most six decimal places, without zeros that say nothing."""
    text = f"{number.quantize(PLACES):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def counted(number: int, noun: str) -> str:
    """As in "1,203 requests"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
