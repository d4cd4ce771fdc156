"""A statement for people: groups with subtotals, amounts to the cent that sum to the total."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from metering.statements.document import Document
from metering.statements.parts.cents import shown_cents
from metering.statements.parts.lines import MICROS, Line

CENT = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class ShownLine:
    """`amount` is to the cent, None where the cost is unknown."""

    line: Line
    amount: Decimal | None

    @property
    def exact(self) -> Decimal | None:
        """To a millionth."""
        return exact(self.line.micros)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Lines that have something in common, such as an adapter. `subtotal` is the sum of the amounts shown."""

    title: str
    lines: Sequence[ShownLine]

    @property
    def subtotal(self) -> Decimal:
        return _sum(self.lines)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the site charges, and apart what is paid to the organisation's own providers."""

    groups: Sequence[Group]
    elsewhere: Sequence[ShownLine]

    @property
    def due(self) -> Decimal:
        return sum((group.subtotal for group in self.groups), Decimal("0.00"))

    @property
    def provider(self) -> Decimal:
        return _sum(self.elsewhere)

    @property
    def lines(self) -> list[ShownLine]:
        return [*(line for group in self.groups for line in group.lines), *self.elsewhere]


def shown(document: Document) -> Shown:
    charged = _lines(document.charged)
    groups = [Group(title=title, lines=list(lines)) for title, lines in groupby(charged, lambda one: one.line.group)]
    return Shown(groups=groups, elsewhere=_lines(document.elsewhere))


def exact(micros: int | None) -> Decimal | None:
    """Millionths as an amount with six decimal places."""
    return None if micros is None else (Decimal(micros) / MICROS).quantize(Decimal("0.000001"))


def rounded(micros: int) -> Decimal:
    """To the cent, as a total is shown."""
    return shown_cents([micros])[0] * CENT


def _lines(lines: Sequence[Line]) -> list[ShownLine]:
    cents = iter(shown_cents([line.micros for line in lines if line.micros is not None]))
    return [ShownLine(line=line, amount=None if line.micros is None else next(cents) * CENT) for line in lines]


def _sum(lines: Sequence[ShownLine]) -> Decimal:
    return sum((one.amount for one in lines if one.amount is not None), Decimal("0.00"))
