"""What a month will have cost at its end, from its days so far and the weeks before. docs/budgets.md says how."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt
from statistics import mean, stdev

FEWEST_DAYS = 2
"""Whole days, fewer tell nothing."""
WEEKS_DAYS = 14
"""From so many days on, weekdays count by themselves."""
LOOKS_BACK = dt.timedelta(days=28)
SHORT = 7
SPREAD = 1.2816
"""Standard deviations on both sides that hold four fifths of a normal distribution."""


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """US dollars at the month's end, with a range that holds four times in five, and when the budget is used up."""

    usd: Decimal
    low: Decimal
    high: Decimal
    exhausted_on: dt.date | None


def forecast(
    days: Mapping[dt.date, Decimal], *, spent: Decimal, budget: Decimal, now: dt.datetime, end: dt.date, since: dt.date
) -> Forecast | None:
    """None while it is too early to tell: under two whole days since the first cost, `since` at the earliest.

    `days` are costs by day; those missing are 0. `end` is the first day of the next month.
    """
    today = now.date()
    known = _whole_days(days, max(since, today - LOOKS_BACK), today)
    if len(known) < FEWEST_DAYS:
        return None
    left = [today + dt.timedelta(days=number) for number in range((end - today).days)]
    share = Decimal(1) - Decimal((now - dt.datetime.combine(today, dt.time(), dt.UTC)) / dt.timedelta(days=1))
    total, exhausted_on = spent, today if spent >= budget else None
    for day in left:
        total += _usual(known, day) * (share if day == today else 1)
        if exhausted_on is None and total >= budget:
            exhausted_on = day
    amounts = [float(amount) for amount in known.values()]
    spread = Decimal(SPREAD * (stdev(amounts) if len(amounts) > 1 else 0.0) * sqrt(len(left)))
    return Forecast(usd=total, low=max(spent, total - spread), high=total + spread, exhausted_on=exhausted_on)


def _whole_days(days: Mapping[dt.date, Decimal], first: dt.date, today: dt.date) -> dict[dt.date, Decimal]:
    """Every day from the first with a cost up to yesterday."""
    began = min((day for day in days if first <= day < today), default=today)
    count = (today - began).days
    return {day: days.get(day, Decimal(0)) for day in (began + dt.timedelta(days=number) for number in range(count))}


def _usual(known: Mapping[dt.date, Decimal], day: dt.date) -> Decimal:
    """The mean of the same weekdays once there are two weeks, else of the last seven days."""
    amounts = list(known.values())
    if len(amounts) >= WEEKS_DAYS:
        amounts = [amount for one, amount in known.items() if one.weekday() == day.weekday()]
    else:
        amounts = amounts[-SHORT:]
    return mean(amounts)
