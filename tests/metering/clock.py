"""A time of the site that stands still until a test sets it."""

import datetime as dt
from dataclasses import dataclass


@dataclass
class Clock:
    """`now` is in UTC."""

    now: dt.datetime

    def set(self, *parts: int) -> dt.datetime:
        """Go to a time of UTC."""
        self.now = dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[misc,arg-type]
        return self.now
