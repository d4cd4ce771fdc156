"""The price book at chosen times."""

import datetime as dt
from dataclasses import dataclass

import pytest


@dataclass
class Clock:
    """The time of the site, which stands still until it is set."""

    now: dt.datetime

    def set(self, *parts: int) -> dt.datetime:
        """Go to a time of UTC."""
        self.now = dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[misc,arg-type]
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """1 September 2026, 10:20."""
    clock = Clock(dt.datetime(2026, 9, 1, 10, 20, tzinfo=dt.UTC))
    monkeypatch.setattr("django.utils.timezone.now", lambda: clock.now)
    return clock
