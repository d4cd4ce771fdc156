"""May I add this adapter? What it would change for everyone on an endpoint."""

from dataclasses import dataclass
from enum import StrEnum

from lorakit.capacity.plan import Plan, plan_of
from lorakit.capacity.ranks import RANKS
from lorakit.capacity.residency import Tier, characteristic_seconds, misses_a_day, tier_of
from serving.capacity.twins import HOUR_SECONDS, Demand, Twin

MUCH_SLOWER = 1.25
"""From this factor on, a longer 95th percentile is a warning."""


class Verdict(StrEnum):
    """`refused` by the rank; `too_much` for the engine; `slower` for everyone; `turns`: not all have a slot."""

    FITS = "fits"
    TURNS = "turns"
    SLOWER = "slower"
    TOO_MUCH = "too_much"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """So many more adapters of a rank, each asked `an_hour` times an hour."""

    adapters: int
    rank: int
    an_hour: float

    @property
    def rate(self) -> float:
        """Requests a second of each."""
        return self.an_hour / HOUR_SECONDS


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """An endpoint with some adapters: how many are held and in slots, what is missed, and how long requests wait."""

    held: int
    hot: int
    misses: float
    demand: Demand | None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a wish would change. `tier` is where the new adapters would usually be.

    `higher` is the plan with slots for the wanted rank, where that is above the highest; None where no engine has it.
    """

    wish: Wish
    verdict: Verdict
    before: Outlook
    after: Outlook
    tier: Tier
    higher: Plan | None


def answer_to(twin: Twin, wish: Wish) -> Answer:
    """What would change on the twin's endpoint."""
    setup, rate = twin.setup, wish.rate / twin.copies
    rates = [*twin.rates, *[rate] * wish.adapters]
    slot_seconds = characteristic_seconds(rates, setup.slots - twin.pinned)
    host_seconds = characteristic_seconds(rates, setup.host_adapters - twin.pinned)
    tiers = [tier_of(one, slot_seconds=slot_seconds, host_seconds=host_seconds) for one in rates]
    before = outlook_of(twin)
    after = Outlook(
        held=len(twin.adapters) + wish.adapters,
        hot=tiers.count(Tier.HOT) + twin.pinned,
        misses=misses_a_day(rates, slot_seconds) * twin.copies,
        demand=twin.demand.plus(rate * wish.adapters) if twin.demand else None,
    )
    return Answer(
        wish=wish,
        verdict=_verdict(twin, wish, before, after),
        before=before,
        after=after,
        tier=tiers[-1],
        higher=_higher(twin, wish),
    )


def outlook_of(twin: Twin) -> Outlook:
    """As it is now."""
    return Outlook(held=len(twin.adapters), hot=twin.count(Tier.HOT), misses=twin.misses, demand=twin.demand)


def slower(before: Outlook, after: Outlook) -> float:
    """How many times as long requests take."""
    if before.demand is None or after.demand is None:
        return 1.0
    return after.demand.usual.slowdown / before.demand.usual.slowdown


def _verdict(twin: Twin, wish: Wish, before: Outlook, after: Outlook) -> Verdict:
    if wish.rank > twin.setup.max_rank:
        return Verdict.REFUSED
    if after.demand is not None and after.demand.busiest.is_too_much:
        return Verdict.TOO_MUCH
    if slower(before, after) >= MUCH_SLOWER:
        return Verdict.SLOWER
    return Verdict.TURNS if after.held > twin.setup.slots else Verdict.FITS


def _higher(twin: Twin, wish: Wish) -> Plan | None:
    if wish.rank <= twin.setup.max_rank or wish.rank > RANKS[-1]:
        return None
    return plan_of(twin.shape, twin.setup.but(max_rank=wish.rank))
