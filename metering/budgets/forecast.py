"""What a month will come to.

What was spent so far, and for each day that is left what is usual on such a day. The rest of today counts by the hours
that are left of it. What is usual:

- after 28 full days, the mean of the last four of the same weekday;
- before that, the mean of the last seven full days, or of as many as there are.

In each mean, the highest day counts no more than the second highest, so that one huge day is not expected to come
again; the mean of two days is a plain one. The range holds four of five months if the days keep differing from what is
usual as they did: it is 1.28 standard deviations to either side, for days that do not depend on each other.
"""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from metering.budgets.months import begin_of_day, month_of, next_month

DAY = dt.timedelta(days=1)
HISTORY = 28
READ_BACK = 35
"""Days. A week more than are used, to tell a day without costs from one before there were any."""
WEEK = 7
FEWEST_DAYS = 2
DEVIATIONS = 1.28


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """At the end of the month, in millionths of a US dollar. `used_up_on` is None if the month ends before."""

    micros: int
    low: int
    high: int
    used_up_on: dt.date | None


def forecast(*, spent: int, amount: int, days: Mapping[dt.date, int], now: dt.datetime) -> Forecast | None:
    """The forecast of the month that `now` is in; None if it is too early to tell.

    `spent` is the month's so far, `days` what was spent by day (UTC), of the month and of the 35 days before `now`.
    """
    now = now.astimezone(dt.UTC)
    today, month = now.date(), month_of(now)
    history = _history(days, today)
    if len(history) < FEWEST_DAYS:
        return None
    left = 1 - (now - begin_of_day(today)) / DAY
    coming = [today + index * DAY for index in range((next_month(month) - today).days)]
    usual = {day: usual_of(history, day) for day in coming}
    parts = {day: usual[day] * (left if day == today else 1.0) for day in coming}
    totals = _totals(spent, parts)
    total = totals[coming[-1]]
    spread = round(DEVIATIONS * _deviation(history) * math.sqrt(len(coming) - 1 + left))
    return Forecast(
        micros=total,
        low=max(spent, total - spread),
        high=total + spread,
        used_up_on=_day_it_passed(days, amount, month, today) if spent >= amount else _day(totals, amount),
    )


def usual_of(history: Sequence[tuple[dt.date, int]], day: dt.date) -> float:
    """What is usual on a day; `history` are full days, the earliest first."""
    if len(history) >= HISTORY:
        return _mean([micros for past, micros in history if past.weekday() == day.weekday()])
    return _mean([micros for _, micros in history[-WEEK:]])


def _history(days: Mapping[dt.date, int], today: dt.date) -> list[tuple[dt.date, int]]:
    """The full days since the first on which anything was spent, at most 28."""
    first = max(min((day for day in days if day < today), default=today), today - HISTORY * DAY)
    return [(first + index * DAY, days.get(first + index * DAY, 0)) for index in range((today - first).days)]


def _mean(values: Sequence[int]) -> float:
    ordered = sorted(values)
    if len(ordered) > 2:
        ordered[-1] = ordered[-2]
    return sum(ordered) / len(ordered)


def _deviation(history: Sequence[tuple[dt.date, int]]) -> float:
    """How much days differ from what is usual."""
    recent = history if len(history) >= HISTORY else history[-WEEK:]
    squares = [(micros - usual_of(history, day)) ** 2 for day, micros in recent]
    return math.sqrt(sum(squares) / max(1, len(squares) - 1))


def _totals(spent: int, parts: Mapping[dt.date, float]) -> dict[dt.date, int]:
    """What will have been spent at the end of each day."""
    ends = accumulate(parts.values())
    return {day: spent + round(to_come) for day, to_come in zip(parts, ends, strict=True)}


def _day(totals: Mapping[dt.date, int], amount: int) -> dt.date | None:
    """The first day at whose end the amount is reached."""
    return next((day for day, total in totals.items() if total >= amount), None)


def _day_it_passed(days: Mapping[dt.date, int], amount: int, month: dt.date, today: dt.date) -> dt.date:
    """The first day at whose end the amount had been reached; today, where the days are a little less than the sum."""
    total = 0
    for index in range((today - month).days + 1):
        total += days.get(month + index * DAY, 0)
        if total >= amount:
            return month + index * DAY
    return today
