"""What a trial has shown so far: shares of callers with errors and of slow requests in both arms, and the evidence."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from django.db.models import Count, Q, Sum
from django.utils import timezone

from lorakit.stats.canary import Callers, evidence_of_harm, evidence_of_safety
from lorakit.stats.evidence import DECISIVE
from lorakit.stats.shares import newcombe_difference
from serving.models import Trial, TrialCaller
from serving.trials.callers import MOST_REQUESTS
from serving.trials.quality import Quality, quality_of

COLLECTED = dt.timedelta(seconds=30)
"""After a window's end, until all its requests have come out of the ledgers."""


class Alike(NamedTuple):
    """`callers` of one arm whose windows have ended with the same figures."""

    in_canary: bool
    requests: int
    errors: int
    slow: int
    callers: int


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One version's side. `callers` and `with_errors` are those whose windows have ended."""

    requests: int = 0
    callers: int = 0
    with_errors: int = 0
    answered: int = 0
    slow: int = 0

    @property
    def error_share(self) -> float | None:
        """Of callers; None without any."""
        return self.with_errors / self.callers if self.callers else None

    @property
    def slow_share(self) -> float | None:
        """Of answered requests; None without any."""
        return self.slow / self.answered if self.answered else None


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Both arms. Evidence from 20 on decides; `safe` is that the candidate's callers fail less than twice as often."""

    live: Arm
    candidate: Arm
    errors: float = 1.0
    slowness: float | None = None
    safe: float = 1.0
    difference: tuple[float, float] | None = None
    quality: Quality | None = None

    @property
    def harm(self) -> str:
        """How callers of the candidate fare worse, for the middle of a sentence; empty where that is not shown."""
        if self.errors >= DECISIVE:
            return "had errors more often"
        if self.slowness is not None and self.slowness >= DECISIVE:
            return "waited longer"
        if self.quality is not None and self.quality.evidence >= DECISIVE:
            return "got worse answers"
        return ""

    @property
    def is_safe(self) -> bool:
        return self.safe >= DECISIVE

    def to_dict(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Figures":
        """The stored figures of a trial that has ended."""
        return cls(
            live=Arm(**stored["live"]),
            candidate=Arm(**stored["candidate"]),
            errors=stored["errors"],
            slowness=stored["slowness"],
            safe=stored["safe"],
            difference=tuple(stored["difference"]) if stored["difference"] else None,
            quality=Quality(**stored["quality"]) if stored["quality"] else None,
        )


def figures_of(trial: Trial) -> Figures:
    """As stored once it has ended, else of this moment."""
    if trial.figures:
        return Figures.from_dict(trial.figures)
    return measured(trial, now=timezone.now())


def measured(trial: Trial, *, now: dt.datetime) -> Figures:
    """Of what has been collected, where only callers whose windows have ended count towards a decision."""
    callers = TrialCaller.objects.filter(trial=trial)
    is_closed = Q(closes_at__lte=now - COLLECTED) | Q(requests__gte=MOST_REQUESTS)
    groups = callers.filter(is_closed).order_by().values_list("in_canary", "requests", "errors", "slow")
    closed = [Alike(*row) for row in groups.annotate(Count("id"))]
    requests = dict(callers.order_by().values_list("in_canary").annotate(Sum("requests")))
    live, candidate = (
        _arm((one for one in closed if one.in_canary == arm), requests.get(arm, 0)) for arm in (False, True)
    )
    errors = [Callers(in_canary=one.in_canary, x=1.0, count=one.callers) for one in closed if one.errors]
    slowness = (
        None if trial.slow_ms is None or trial.is_shadow else evidence_of_harm(_slowness(closed), share=trial.share)
    )
    difference = None
    if live.callers and candidate.callers:
        interval = newcombe_difference((live.with_errors, candidate.with_errors), (live.callers, candidate.callers))
        difference = (interval.low, interval.high)
    return Figures(
        live=live,
        candidate=candidate,
        errors=1.0 if trial.is_shadow else evidence_of_harm(errors, share=trial.share),
        slowness=slowness,
        safe=1.0 if trial.is_shadow else evidence_of_safety(errors, share=trial.share),
        difference=difference,
        quality=quality_of(trial),
    )


def _arm(closed: Iterable[Alike], requests: int) -> Arm:
    sums: Counter[str] = Counter()
    for one in closed:
        sums["callers"] += one.callers
        sums["with_errors"] += one.callers if one.errors else 0
        sums["answered"] += one.callers * (one.requests - one.errors)
        sums["slow"] += one.callers * one.slow
    return Arm(requests=requests, **sums)


def _slowness(closed: Iterable[Alike]) -> Iterable[Callers]:
    """One request in twenty is slower than the usual 95th percentile, so half of them slow is as bad as it gets."""
    for one in closed:
        if answered := one.requests - one.errors:
            yield Callers(in_canary=one.in_canary, x=min(1.0, 2 * one.slow / answered), count=one.callers)
