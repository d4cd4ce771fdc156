"""What to do with a live version, and why. Fixed rules, so that everybody can check them; docs/costs.md has them."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from metering.usage.figures import Figures

RECENT = dt.timedelta(days=30)
UNUSED = dt.timedelta(days=14)
FEWEST_REQUESTS = 100
"""Fewer say little of how a version is used."""
COLD_SHARE = 0.02
BUSY_SHARE = 0.4


class Advice(StrEnum):
    """What to do next."""

    KEEP = "keep"
    RETIRE = "retire"
    PIN = "pin"
    MERGE = "merge"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is known of a live version: its last 30 days, and how long its endpoints' instances ran in those.

    `live_for` is how long it has been on an endpoint, `quiet_for` how long nobody has asked it.
    """

    recent: Figures
    live_for: dt.timedelta
    quiet_for: dt.timedelta
    instance_time: dt.timedelta
    is_pinned: bool = False


@dataclass(frozen=True, kw_only=True)
class Advised:
    """An advice with its reason, a sentence."""

    advice: Advice
    reason: str

    @property
    def acts(self) -> bool:
        """Whether there is something to do."""
        return self.advice is not Advice.KEEP

    @property
    def title(self) -> str:
        """The advice as the beginning of a sentence about a version."""
        return self.advice.value.capitalize()


def advise(seen: Seen) -> Advised:
    """The first rule that applies."""
    if seen.live_for >= UNUSED and seen.quiet_for >= UNUSED:
        reason = f"Nobody has asked it for {seen.quiet_for.days} days, and it holds a place on the endpoint."
        return Advised(advice=Advice.RETIRE, reason=reason)
    busy = _share(dt.timedelta(microseconds=seen.recent.busy_us), seen.instance_time)
    if busy >= BUSY_SHARE and seen.recent.requests >= FEWEST_REQUESTS:
        reason = (
            f"It keeps {busy:.0%} of its endpoint’s time busy. Merged into a base model of its own, it would be faster."
        )
        return Advised(advice=Advice.MERGE, reason=reason)
    cold = seen.recent.cold_starts / seen.recent.requests if seen.recent.requests else 0.0
    if cold > COLD_SHARE and seen.recent.requests >= FEWEST_REQUESTS and not seen.is_pinned:
        reason = f"{cold:.0%} of its requests waited until it was loaded. Pinned, it would stay in memory."
        return Advised(advice=Advice.PIN, reason=reason)
    return Advised(advice=Advice.KEEP, reason=_kept(seen))


def _kept(seen: Seen) -> str:
    if not seen.recent.requests:
        return "It has not been live for long."
    count = f"{seen.recent.requests:,} request{'' if seen.recent.requests == 1 else 's'}"
    return f"It answered {count} in the last {RECENT.days} days."


def _share(part: dt.timedelta, whole: dt.timedelta) -> float:
    return part / whole if whole else 0.0
