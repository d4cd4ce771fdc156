"""Which thresholds of a budget are reached."""

from decimal import Decimal

THRESHOLDS = (50, 80, 95, 100)
"""Per cent."""


def reached(spent: Decimal, budget: Decimal) -> int:
    """The highest threshold that is reached, 0 for none."""
    return max((one for one in THRESHOLDS if spent * 100 >= budget * one), default=0)
