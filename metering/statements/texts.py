"""Amounts, quantities and days of a statement in words, the same on the page and in the PDF."""

import datetime as dt
from decimal import Decimal

from metering.statements.parts.lines import Line


def money(amount: Decimal) -> str:
    """As in "1,234.50", with a true minus sign."""
    return f"{amount:,.2f}".replace("-", "−")


def quantity_text(line: Line) -> str:
    """As in "12.5 hours"; empty for what has no quantity."""
    if not line.quantity:
        return ""
    number = f"{Decimal(line.quantity):,f}"
    return f"{number} {line.unit}" if line.quantity == "1" else f"{number} {line.unit}s"


def day_text(day: dt.date) -> str:
    """As in "4 November 2026"."""
    return f"{day.day} {day:%B %Y}"
