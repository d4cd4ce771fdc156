"""Which shares of a budget are told, and which of them is reached."""

THRESHOLDS = (50, 80, 95, 100)
"""Per cent."""


def reached(micros: int, amount: int) -> int | None:
    """The highest threshold that was reached, in per cent; None below the first."""
    return max((percent for percent in THRESHOLDS if micros * 100 >= amount * percent), default=None)
