"""Amounts of bills in templates; None is unknown."""

from decimal import Decimal

from django import template

register = template.Library()
MINUS = "\u2212"


@register.filter
def money(amount: Decimal | None) -> str:
    """As in 1,234.56; small amounts have four decimal places."""
    if amount is None:
        return "unknown"
    places = 2 if not amount or abs(amount) >= 1 else 4
    return f"{amount:,.{places}f}".replace("-", MINUS)


@register.filter
def money_change(amount: Decimal | None) -> str:
    """The same with its sign."""
    return f"+{money(amount)}" if amount is not None and amount > 0 else money(amount)


@register.filter
def percent_change(percent: Decimal) -> str:
    """As in +1.2%."""
    rounded = round(percent, 1) or Decimal(0)
    return f"{rounded:{'+' if rounded else ''},.1f}%".replace("-", MINUS)
