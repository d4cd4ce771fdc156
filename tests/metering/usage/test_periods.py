"""The periods of the usage page."""

import datetime as dt

from metering.usage.periods import periods


def test_months_are_calendar_months_and_this_one_ends_now() -> None:
    now = dt.datetime(2026, 3, 1, 1, 30, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    found = periods(now)
    # It is still February in UTC.
    assert (found["month"].title, found["month"].start, found["month"].end) == (
        "February 2026", dt.datetime(2026, 2, 1, tzinfo=dt.UTC), now,
    )  # fmt: skip
    last = found["last-month"]
    assert (last.button, last.start, last.end) == (
        "Jan", dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 2, 1, tzinfo=dt.UTC),
    )  # fmt: skip


def test_the_shortest_comes_first() -> None:
    found = list(periods(dt.datetime(2026, 3, 9, tzinfo=dt.UTC)).values())
    assert [period.key for period in found] == ["24h", "7d", "30d", "last-month", "month", "13m"]
    assert found[0].end - found[0].start == dt.timedelta(hours=24)
