"""Whether an hour is unusual, beside the same hour of the same weekday in past weeks. Pure: figures in, judgements out.

An hour is compared with at least four of the last eight weeks. High is what is far above the usual in three ways at
once, so that neither noise nor trifles alert:

- Latency (p95) and cost: at least 2.2 times the median, above it by more than 3.3 robust deviations of the logarithms
  (1.4826 times the median of their distances from the median, at most 0.27), and by 100 ms or ten cents.
- Failed requests: at least five, at least 2.2 times the usual share, above it by more than 3.3 robust deviations, and
  more than chance would bring in one of 10,000 such hours (binomial). The usual share is the median of the weeks', at
  least one per cent.

Fewer than 20 requests, or 50 answers for a p95, say nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from lorakit.stats.quantiles import beta_share

FEWEST_WEEKS = 4
FEWEST_REQUESTS = 20
FEWEST_ANSWERS = 50
RATIO = 2.2
DEVIATIONS = 3.3
MOST_DEVIATION = 0.27
"""Of eight weeks, some seem to differ more than they do; three times the usual must be found all the same."""
NORMAL = 1.4826
"""From the median distance to the standard deviation, of a normal distribution."""
LEAST_MS = 100.0
LEAST_MICROS = 100_000
FEWEST_ERRORS = 5
LEAST_SHARE = 0.01
CHANCE = 1e-4


@dataclass(frozen=True, kw_only=True)
class Hour:
    """An hour of a model, or of all. `micros` is None while its cost is not known."""

    requests: int
    errors: int
    answered: int
    p95_ms: float | None
    micros: int | None


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What was found beside what is usual, in milliseconds, shares or millionths of a US dollar."""

    value: float
    usual: float
    is_high: bool


def latency(hour: Hour, past: Sequence[Hour]) -> Judged | None:
    """The 95th percentile; None where it cannot be told."""

    def told(one: Hour) -> float | None:
        return one.p95_ms if one.answered >= FEWEST_ANSWERS else None

    return _beside(told(hour), [told(one) for one in past], LEAST_MS)


def cost(hour: Hour, past: Sequence[Hour]) -> Judged | None:
    """The cost of serving, in millionths; None where it cannot be told."""
    if hour.requests < FEWEST_REQUESTS:
        return None
    return _beside(hour.micros, [one.micros for one in past if one.requests], LEAST_MICROS)


def errors(hour: Hour, past: Sequence[Hour]) -> Judged | None:
    """The share of requests that failed; None where it cannot be told."""
    shares = [one.errors / one.requests for one in past if one.requests >= FEWEST_REQUESTS]
    if hour.requests < FEWEST_REQUESTS or len(shares) < FEWEST_WEEKS:
        return None
    share, usual = hour.errors / hour.requests, median(shares)
    expected = min(max(usual, LEAST_SHARE), 0.999)
    deviation = NORMAL * median(abs(one - usual) for one in shares)
    is_high = (
        hour.errors >= FEWEST_ERRORS
        and share >= max(RATIO * expected, expected + DEVIATIONS * min(deviation, MOST_DEVIATION * expected))
        and chance_of_at_least(hour.errors, hour.requests, expected) < CHANCE
    )
    return Judged(value=share, usual=usual, is_high=is_high)


def chance_of_at_least(errors: int, requests: int, share: float) -> float:
    """The binomial probability of as many errors or more."""
    return beta_share(share, errors, requests - errors + 1) if errors else 1.0


def _beside(value: float | None, past: Sequence[float | None], least: float) -> Judged | None:
    known = [one for one in past if one is not None and one > 0]
    if value is None or value <= 0 or len(known) < FEWEST_WEEKS:
        return None
    usual = median(known)
    logs = [math.log(one / usual) for one in known]
    deviation = min(MOST_DEVIATION, NORMAL * median(abs(one) for one in logs))
    above = math.log(value / usual)
    is_high = value - usual >= least and above >= math.log(RATIO) and above > DEVIATIONS * deviation
    return Judged(value=value, usual=usual, is_high=is_high)
