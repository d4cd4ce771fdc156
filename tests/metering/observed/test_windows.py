"""Which hours are due: the last ones always, the last days every hour, each once more, and all of history."""

import datetime as dt

import pytest

from metering.observed.windows import STEP, Progress, Window, batches, beginning, older_window, recent_window

NOW = dt.datetime(2026, 11, 20, 10, 25, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
THIS = NOW.replace(minute=0)


def at(hours: float) -> dt.datetime:
    """So many hours before the one that runs."""
    return THIS - hours * HOUR


def test_the_last_days_are_read_every_hour_and_the_last_hours_in_between() -> None:
    known = Progress(read_to=THIS, settled_to=at(14 * 24), revisited_at=NOW - dt.timedelta(minutes=59))
    assert recent_window(known, until=None, now=NOW) == Window(at(3), at(-1))
    later = NOW + dt.timedelta(minutes=1)
    assert recent_window(known, until=None, now=later) == Window(at(72), at(-1))
    after = known.after(Window(at(72), at(-1)), later)
    assert after.revisited_at == later
    assert after.read_to == THIS, "the hour that runs is not done"


def test_what_has_gone_is_read_for_three_days_and_once_more_after_two_weeks() -> None:
    gone = at(50) + dt.timedelta(minutes=10)
    known = Progress(read_to=THIS, settled_to=at(14 * 24))
    assert recent_window(known, until=gone, now=NOW) == Window(at(72), at(49))
    assert recent_window(known, until=gone - 24 * HOUR, now=NOW) is None
    later = NOW + 14 * DAY
    assert older_window(known, until=gone, now=later) == Window(at(14 * 24), at(49))
    settled = known.after(Window(at(14 * 24), at(49)), later)
    assert older_window(settled, until=gone, now=later) is None
    assert recent_window(settled, until=gone, now=later) is None


def test_history_is_read_in_steps_from_the_oldest_hour_that_is_kept() -> None:
    known = beginning(NOW - 1000 * DAY, NOW)
    assert known.read_to == THIS - 455 * DAY + HOUR
    read = 0
    while (window := older_window(known, until=None, now=NOW)) is not None:
        assert window.start == known.read_to
        assert window.end - window.start <= STEP
        known, read = known.after(window, NOW), read + 1
    assert (known.read_to, known.settled_to, read) == (THIS, THIS - 14 * DAY, 16)


def test_a_day_later_what_is_two_weeks_old_is_read_once_more() -> None:
    known = Progress(read_to=THIS + DAY, settled_to=THIS - 14 * DAY, revisited_at=NOW + DAY)
    window = older_window(known, until=None, now=NOW + DAY)
    assert window == Window(THIS - 14 * DAY, THIS - 13 * DAY)
    assert older_window(known.after(window, NOW + DAY), until=None, now=NOW + DAY) is None


def test_hours_that_nobody_read_are_caught_up_with() -> None:
    known = Progress(read_to=at(30), settled_to=at(14 * 24), revisited_at=at(30))
    window = recent_window(known, until=None, now=NOW)
    assert window == Window(at(72), at(-1))
    assert older_window(known.after(window, NOW), until=None, now=NOW) is None
    long = Progress(read_to=at(200), settled_to=at(14 * 24), revisited_at=NOW)
    after = long.after(Window(at(3), at(-1)), NOW)
    assert after.read_to == at(200), "what lies between was not read"
    assert older_window(after, until=None, now=NOW) == Window(at(200), at(-1))


@pytest.mark.parametrize(("size", "groups"), [(10, ["abc", "d"]), (2, ["ab", "c", "d"])])
def test_windows_of_one_step_are_read_together(size: int, groups: list[str]) -> None:
    due = [
        (Window(at(24 * 3), at(0)), "c"),
        (Window(at(24 * 20), at(10)), "a"),
        (Window(at(24 * 20), at(5)), "b"),
        (Window(at(-24 * 40), at(-24 * 41)), "d"),
    ]
    found = list(batches(due, size))
    assert ["".join(names) for _, names in found] == groups
    for window, names in found:
        assert window.end - window.start <= STEP
        own = [one for one, name in due if name in names]
        assert window.start == min(one.start for one in own)
        assert window.end == min(window.start + STEP, max(one.end for one in own))
