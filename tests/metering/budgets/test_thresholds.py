"""Thresholds and forecasts are plain arithmetic."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.budgets.forecast import Forecast, forecast
from metering.budgets.thresholds import THRESHOLDS, reached

UTC = dt.UTC


@pytest.mark.parametrize(
    ("spent", "expected"),
    [("0", 0), ("49.999999", 0), ("50", 50), ("79.99", 50), ("80", 80), ("97", 95), ("100", 100), ("1e9", 100)],
)
def test_the_highest_is_reached(spent: str, expected: int) -> None:
    assert reached(Decimal(spent), Decimal(100)) == expected


@given(st.decimals(0, 10**9, places=6), st.decimals(Decimal("0.01"), 10**9, places=2))
def test_it_grows_with_what_is_spent(spent: Decimal, budget: Decimal) -> None:
    now = reached(spent, budget)
    assert now in (0, *THRESHOLDS)
    assert reached(spent + 1, budget) >= now >= reached(spent, budget + 1)


def told(days: dict[int, str], *, now: dt.datetime, budget: str = "1000", since: int = 1) -> Forecast | None:
    """Of a month's days by their number."""
    costs = {dt.date(now.year, now.month, day): Decimal(amount) for day, amount in days.items()}
    end = (now.replace(day=1) + dt.timedelta(days=32)).replace(day=1).date()
    since_day = dt.date(now.year, now.month, since)
    spent = sum(costs.values(), Decimal(0))
    return forecast(costs, spent=spent, budget=Decimal(budget), now=now, end=end, since=since_day)


@pytest.mark.parametrize("days", [{}, {1: "5"}, {2: "5"}, {3: "5"}])
def test_two_whole_days_are_needed(days: dict[int, str]) -> None:
    now = dt.datetime(2026, 2, 2, 12, tzinfo=UTC)
    assert told(days, now=now) is None


def test_the_same_every_day_goes_on() -> None:
    found = told({1: "10", 2: "10", 3: "10"}, now=dt.datetime(2026, 2, 4, 0, tzinfo=UTC))
    assert found is not None
    assert found.usd == found.low == found.high == 280
    assert found.exhausted_on is None


def test_only_what_is_left_of_today_is_added() -> None:
    found = told({1: "10", 2: "10", 3: "10", 4: "5"}, now=dt.datetime(2026, 2, 4, 12, tzinfo=UTC))
    assert found is not None
    assert found.usd == 280


def test_days_without_costs_count() -> None:
    found = told({1: "30", 4: "0"}, now=dt.datetime(2026, 2, 4, 0, tzinfo=UTC))
    assert found is not None
    assert found.usd == 30 + 25 * 10
    assert found.low < found.usd < found.high
    assert found.low >= 30


def test_the_day_on_which_it_is_used_up() -> None:
    found = told({1: "10", 2: "10", 3: "10"}, now=dt.datetime(2026, 2, 4, 0, tzinfo=UTC), budget="65")
    assert found is not None
    assert found.exhausted_on == dt.date(2026, 2, 7)
    over = told({1: "10", 2: "10", 3: "10"}, now=dt.datetime(2026, 2, 4, 0, tzinfo=UTC), budget="30")
    assert over is not None
    assert over.exhausted_on == dt.date(2026, 2, 4)


def test_weekdays_count_by_themselves_after_two_weeks() -> None:
    """June 2026 begins on a Monday: ten a day, nothing on weekends."""
    days = {day: "0" if day % 7 in (6, 0) else "10" for day in range(1, 15)}
    found = told(days, now=dt.datetime(2026, 6, 15, 0, tzinfo=UTC))
    assert found is not None
    assert found.usd == 10 * 22


def test_the_last_moment_of_a_month() -> None:
    found = told({29: "10", 30: "10", 31: "10"}, now=dt.datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC))
    assert found is not None
    assert found.usd == pytest.approx(30, abs=0.01)
