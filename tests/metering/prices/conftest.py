"""The price book at chosen times."""

import datetime as dt

import pytest

from tests.metering.clock import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """1 September 2026, 10:20."""
    clock = Clock(dt.datetime(2026, 9, 1, 10, 20, tzinfo=dt.UTC))
    monkeypatch.setattr("django.utils.timezone.now", lambda: clock.now)
    return clock
