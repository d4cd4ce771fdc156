"""What a month will come to: worked out by hand, and never absurd."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.budgets.forecast import Forecast, forecast, usual_of

DAY = dt.timedelta(days=1)


def at(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[misc,arg-type]


def each_day(now: dt.datetime, back: int, micros: int) -> dict[dt.date, int]:
    return {now.date() - index * DAY: micros for index in range(1, back + 1)}


def told(now: dt.datetime, days: dict[dt.date, int], amount: int = 10_000, spent: int | None = None) -> Forecast:
    month = now.date().replace(day=1)
    so_far = sum(micros for day, micros in days.items() if day >= month) if spent is None else spent
    found = forecast(spent=so_far, amount=amount, days=days, now=now)
    assert found is not None
    return found


@pytest.mark.parametrize("days", [{}, {dt.date(2026, 11, 16): 5}, {dt.date(2026, 11, 15): 5}])
def test_under_two_full_days_it_is_too_early_to_tell(days: dict[dt.date, int]) -> None:
    assert forecast(spent=5, amount=10, days=days, now=at(2026, 11, 16, 12)) is None


def test_two_days_are_enough() -> None:
    found = told(at(2026, 11, 3), each_day(at(2026, 11, 3), 2, 100))
    assert (found.micros, found.low, found.high) == (3000, 3000, 3000)


def test_the_rest_of_today_counts_by_its_hours() -> None:
    # Ten days of 100 before today, of which 18 hours are left, and 19 days.
    found = told(at(2026, 11, 11, 6), each_day(at(2026, 11, 11), 10, 100))
    assert found.micros == 1000 + 75 + 1900


@pytest.mark.parametrize(("year", "length"), [(2027, 28), (2028, 29)])
def test_february_is_as_long_as_it_is(year: int, length: int) -> None:
    assert told(at(year, 2, 8), each_day(at(year, 2, 8), 7, 10)).micros == 10 * length


def test_in_the_last_minute_of_a_month_nothing_is_left() -> None:
    now = at(2026, 11, 30, 23, 59)
    assert told(now, each_day(now, 20, 1440)).micros == sum(each_day(now, 20, 1440).values()) + 1


def test_on_the_first_the_days_before_are_those_of_last_month() -> None:
    found = told(at(2026, 12, 1), each_day(at(2026, 12, 1), 7, 100))
    assert found.micros == 3100


def test_one_huge_day_is_not_expected_again_but_widens_the_range() -> None:
    now = at(2026, 11, 11)
    calm, days = each_day(now, 10, 100), each_day(now, 10, 100)
    days[dt.date(2026, 11, 9)] = 10_000
    assert told(now, days).micros == told(now, calm).micros + 9_900
    assert told(now, days).high > told(now, calm).high + 9_900
    assert told(now, days).low >= sum(days.values())


def test_after_four_weeks_each_weekday_counts_by_itself() -> None:
    # 28 November 2026 is a Saturday; nothing is used on week-ends.
    now = at(2026, 11, 28)
    days = {day: 100 for day in each_day(now, 35, 100) if day.weekday() < 5}
    assert told(now, days).micros == 20 * 100 + 100


def test_a_week_end_without_costs_is_no_beginning() -> None:
    history = [(dt.date(2026, 11, 1) + index * DAY, 7) for index in range(28)]
    assert usual_of(history, dt.date(2026, 11, 30)) == 7


def test_the_day_it_is_used_up() -> None:
    days = each_day(at(2026, 11, 11), 10, 100)
    assert told(at(2026, 11, 11), days, amount=1500).used_up_on == dt.date(2026, 11, 15)
    assert told(at(2026, 11, 11), days, amount=3000).used_up_on == dt.date(2026, 11, 30)
    assert told(at(2026, 11, 11), days, amount=3001).used_up_on is None
    assert told(at(2026, 11, 11), days, amount=450).used_up_on == dt.date(2026, 11, 5)


@given(
    days=st.dictionaries(st.integers(0, 60), st.integers(0, 10**15), max_size=40),
    amount=st.integers(1, 10**15),
    hours=st.integers(0, 24 * 800),
)
def test_it_is_never_below_what_was_spent(days: dict[int, int], amount: int, hours: int) -> None:
    now = at(2026, 1, 1) + dt.timedelta(hours=hours)
    by_day = {now.date() - back * DAY: micros for back, micros in days.items()}
    month = now.date().replace(day=1)
    spent = sum(micros for day, micros in by_day.items() if day >= month)
    found = forecast(spent=spent, amount=amount, days=by_day, now=now)
    if found is not None:
        assert spent <= found.low <= found.micros <= found.high
        assert found.used_up_on is None or found.used_up_on.replace(day=1) == month
        assert (found.used_up_on is not None) == (found.micros >= amount)
