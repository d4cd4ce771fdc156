"""Formats durations, amounts of money and percentages."""

from typing import Literal

from django import template

register = template.Library()

Number = float | Literal[""] | None
"""A template passes "" if a look-up finds nothing."""


@register.filter
def duration(seconds: Number) -> str:
    """`8 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`; a dash if there is no value."""
    if seconds is None or seconds == "":
        return "–"
    whole = max(0, round(float(seconds)))
    for size, unit, part, part_unit in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size} {unit}" + (f" {rest} {part_unit}" if rest else "")
    return f"{whole} s"


@register.filter
def usd(amount: Number) -> str:
    """Dollars with two decimal places, or four for amounts below one cent."""
    if amount is None or amount == "":
        return "–"
    value = float(amount)
    if 0 < abs(value) < 0.01:
        return f"${value:.4f}" if abs(value) >= 0.0001 else "<$0.0001"
    return f"${value:,.2f}"


@register.filter
def cost(amount: Number) -> str:
    """The same of a cost, which is “unknown” where no price is."""
    return "unknown" if amount is None else usd(amount)


@register.filter
def percent(share: Number) -> str:
    """0.4213 as `42.1%`."""
    return "–" if share is None or share == "" else f"{float(share):.1%}"


@register.filter
def percent_points(difference: Number) -> str:
    """The difference of two shares in percentage points: 0.05 as `+5.0`."""
    return "–" if difference is None or difference == "" else f"{float(difference) * 100:+.1f}"


@register.filter
def signed(value: Number) -> str:
    """`+0.31` or `−0.20`, with a true minus sign."""
    return "–" if value is None or value == "" else f"{float(value):+.2f}".replace("-", "−")
