"""A row of a bill, checked."""

import datetime as dt
import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from metering.models import Grain
from metering.prices.currencies import checked_code
from metering.reconciliation.errors import WrongBill
from metering.reconciliation.files import Row
from metering.usage.ranges import DAY, HOUR, begin_of

HIGHEST = Decimal(10) ** 12
PLACES = Decimal(10) ** -10
EARLIEST, LATEST = dt.datetime(2015, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC)
ACCOUNT = re.compile(r"[\w-]{1,20}")

TAX = "Tax"
COVERED, NEGATION = "SavingsPlanCoveredUsage", "SavingsPlanNegation"
CREDITS = frozenset({"Credit", "Refund", "Adjustment"})
"""Types of lines that change what was billed, whatever was used."""


@dataclass(frozen=True, kw_only=True)
class BillRow:
    """Times are whole hours (UTC). `net_cost` is after every discount, those of commitments too.

    `is_long`: whether it is of more than a day, which stands on its first day.
    """

    account: str
    month: dt.datetime
    start: dt.datetime
    end: dt.datetime
    is_long: bool
    usage_type: str
    line_type: str
    resource: str
    region: str
    unit: str
    currency: str
    quantity: Decimal
    listed_cost: Decimal
    net_cost: Decimal


def bill_row(row: Row, number: int) -> BillRow | None:
    """The row; None for taxes, which the site does not count. Raises WrongBill."""
    cells = _Cells(row, number)
    line_type = cells.text("line_type", 40)
    if line_type == TAX:
        return None
    start = cells.moment("start")
    end = cells.moment("end") if row.get("end") else start + HOUR
    first = begin_of(Grain.HOUR, start)
    last = max(first + HOUR, min(begin_of(Grain.HOUR, end), first + DAY))
    listed = cells.number("listed_cost")
    return BillRow(
        account=cells.account(),
        month=begin_of(Grain.MONTH, cells.moment("month")),
        start=first,
        end=last,
        is_long=end - first > DAY + HOUR,
        usage_type=cells.text("usage_type", 120),
        line_type=line_type,
        resource=cells.text("resource", 300),
        region=cells.region(),
        unit=cells.text("unit", 40),
        currency=cells.currency(),
        quantity=cells.number("quantity"),
        listed_cost=listed,
        net_cost=_net(cells, line_type, listed),
    )


def _net(cells: "_Cells", line_type: str, listed: Decimal) -> Decimal:
    if line_type == NEGATION:
        # It takes back what covered usage is listed at; what that costs is in its own line.
        return Decimal(0)
    if line_type == COVERED:
        return cells.number("commitment_cost", listed)
    return cells.number("net_cost", listed)


class _Cells:
    """Values by name. What is wrong with one is told with its row and column."""

    def __init__(self, row: Row, number: int) -> None:
        self._row, self._number = row, number

    def text(self, name: str, longest: int) -> str:
        value = self._row.get(name)
        found = "" if value is None else str(value)
        if len(found) > longest or "\0" in found:
            raise self._wrong(name, f"more than {longest} characters, or one that no text has")
        return found

    def account(self) -> str:
        found = self.text("account", 20)
        if not ACCOUNT.fullmatch(found):
            raise self._wrong("account", "not the number of an account")
        return found

    def number(self, name: str, default: Decimal | None = None) -> Decimal:
        value = self._row.get(name)
        if value is None or value == "":
            return Decimal(0) if default is None else default
        try:
            found = Decimal(str(value))
        except InvalidOperation:
            raise self._wrong(name, "not a number") from None
        if not found.is_finite() or abs(found) > HIGHEST:
            raise self._wrong(name, "too large to be an amount")
        return found.quantize(PLACES)

    def moment(self, name: str) -> dt.datetime:
        value: Any = self._row.get(name)
        try:
            found = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value))
            found = found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
        except (ValueError, OverflowError):
            raise self._wrong(name, "not a time") from None
        if not EARLIEST <= found <= LATEST:
            raise self._wrong(name, "not a time of a bill")
        return found

    def currency(self) -> str:
        try:
            return checked_code(self.text("currency", 10))
        except ValueError:
            raise self._wrong("currency", "not the code of a currency") from None

    def region(self) -> str:
        """CUR 2.0 has it in a map of the product: JSON in CSV, pairs in Parquet."""
        value: Any = self._row.get("region")
        if isinstance(value, list):
            value = dict(value).get("region", "")
        elif isinstance(value, str) and value.startswith("{"):
            try:
                value = json.loads(value).get("region", "")
            except (ValueError, AttributeError):
                raise self._wrong("region", "not JSON") from None
        return "" if value is None else str(value)[:40]

    def _wrong(self, name: str, what: str) -> WrongBill:
        return WrongBill(f"Row {self._number}, column {name.replace('_', ' ')}: {what}.")
