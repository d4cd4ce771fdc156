"""Which hours of a component or an endpoint are due to be read.

A cloud's figures come late. The last hours are read at every look, the last days every hour, and each hour once more
after two weeks. What was never read, as all of it at first, is read in steps from the oldest hour on.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from metering.ledger.rollup import hour_of

HOUR = dt.timedelta(hours=1)
RECENT = dt.timedelta(hours=3)
CHANGING = dt.timedelta(days=3)
SETTLED = dt.timedelta(days=14)
KEPT = dt.timedelta(days=455)
"""How long CloudWatch keeps hours."""
STEP = dt.timedelta(days=30)

W = TypeVar("W")


@dataclass(frozen=True, order=True)
class Window:
    """Full hours (UTC) from `start` up to `end`."""

    start: dt.datetime
    end: dt.datetime


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far it has been read: every hour before `read_to` once, before `settled_to` for good; when the last days
    were."""

    read_to: dt.datetime
    settled_to: dt.datetime
    revisited_at: dt.datetime | None = None

    def after(self, window: Window, now: dt.datetime) -> "Progress":
        """The progress once the window was read. The hour that runs is never done."""
        read_to, settled_to, revisited_at = self.read_to, self.settled_to, self.revisited_at
        done = min(window.end, hour_of(now))
        if window.start <= read_to:
            read_to = max(read_to, done)
        if window.start <= settled_to:
            settled_to = max(settled_to, min(done, hour_of(now - SETTLED)))
        if window.start <= hour_of(now - CHANGING) < window.end:
            revisited_at = now
        return replace(self, read_to=read_to, settled_to=settled_to, revisited_at=revisited_at)


def beginning(since: dt.datetime, now: dt.datetime) -> Progress:
    """The progress of what came at `since` and was never read."""
    first = max(hour_of(since), hour_of(now - KEPT) + HOUR)
    return Progress(read_to=first, settled_to=first)


def recent_window(progress: Progress, *, until: dt.datetime | None, now: dt.datetime) -> Window | None:
    """The last hours, or days if they are due; `until` is when it went, None while it is there."""
    is_due = progress.revisited_at is None or progress.revisited_at <= now - HOUR
    window = Window(hour_of(now - (CHANGING if is_due else RECENT)), _end(until, now))
    return window if window.start < window.end else None


def older_window(progress: Progress, *, until: dt.datetime | None, now: dt.datetime) -> Window | None:
    """Hours that were never read, else those that are two weeks old by now."""
    end = _end(until, now)
    if progress.read_to < min(end, hour_of(now)):
        return Window(progress.read_to, min(progress.read_to + STEP, end))
    settled = min(hour_of(now - SETTLED), end)
    if progress.settled_to < settled:
        return Window(progress.settled_to, min(progress.settled_to + STEP, settled))
    return None


def batches(due: Iterable[tuple[Window, W]], size: int) -> Iterator[tuple[Window, list[W]]]:
    """What can be read together: windows that begin in the same step, joined, of at most `size` at a time."""
    left = sorted(due, key=lambda pair: pair[0])
    while left:
        start = left[0][0].start
        some = [pair for pair in left[:size] if pair[0].start < start + STEP]
        left = left[len(some) :]
        yield Window(start, min(start + STEP, max(window.end for window, _ in some))), [one for _, one in some]


def _end(until: dt.datetime | None, now: dt.datetime) -> dt.datetime:
    end = hour_of(now) + HOUR
    return end if until is None else min(hour_of(until) + HOUR, end)
