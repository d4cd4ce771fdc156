"""The periods that the usage page offers: the last hours or days, and calendar months (UTC)."""

import datetime as dt
from dataclasses import dataclass

from metering.models import Grain

LAST = {"24h": ("24 hours", dt.timedelta(hours=24)), "7d": ("7 days", dt.timedelta(days=7)),
        "30d": ("30 days", dt.timedelta(days=30))}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Period:
    """`button` names it beside others, `title` by itself. Charts of it have a point for each `grain`."""

    key: str
    button: str
    title: str
    start: dt.datetime
    end: dt.datetime
    grain: Grain = Grain.HOUR

    @property
    def month(self) -> str:
        """The calendar month (UTC) that it is, as in "2026-10"; empty if it is none."""
        return f"{self.start:%Y-%m}" if self.key in ("month", "last-month") else ""


def periods(now: dt.datetime) -> dict[str, Period]:
    """By key, the shortest first; this month ends now."""
    now = now.astimezone(dt.UTC)
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    before = (first - dt.timedelta(days=1)).replace(day=1)
    found = [
        Period(key=key, button=title, title=f"Last {title}", start=now - length, end=now)
        for key, (title, length) in LAST.items()
    ]
    found += [
        Period(key=key, button=f"{start:%b}", title=f"{start:%B %Y}", start=start, end=end)
        for key, start, end in (("last-month", before, first), ("month", first, now))
    ]
    year_ago = first.replace(year=first.year - 1)
    found.append(
        Period(key="13m", button="13 months", title="Last 13 months", start=year_ago, end=now, grain=Grain.DAY)
    )
    return {period.key: period for period in found}
