"""The judging stage of a run, in short steps: which judge is asked next, from which row, and when it is over.

The state is JSON that the run keeps: {fingerprint of the judge: what Standing holds}. It is only about where to go on;
what has been judged is in the verdicts.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from evaluations.judges.backends.usage import Usage
from evaluations.judging.asking import CLAIMED, Progress, ask
from evaluations.judging.jurors import Juror
from evaluations.judging.plan import Plan, Row

STEP_SECONDS = 15.0
MOST_PASSES = 4
"""Over all rows: what failed in a passing way is asked again, this often at most."""
PASS_WAIT = 30.0
LONGEST_WAIT = 600.0
MOST_IDLE = 12
"""Steps in a row without a verdict until a judge is given up: more than an hour with the waits between them."""


@dataclass
class Standing:
    """How far one judge is. `ready_at` is Unix time; `left` counts what the pass could not get, by why."""

    position: int = 0
    passes: int = 0
    idle: int = 0
    left: dict[str, int] = field(default_factory=dict)
    down: str = ""
    ready_at: float = 0.0
    over: bool = False
    calls: int = 0
    tokens_in: int | None = 0
    tokens_out: int | None = 0
    usd: str | None = "0"

    @property
    def usage(self) -> Usage:
        """Of every call, also of those that failed."""
        return Usage(
            calls=self.calls,
            tokens_in=self.tokens_in,
            tokens_out=self.tokens_out,
            cost_usd=None if self.usd is None else Decimal(self.usd),
        )

    def note(self, progress: Progress, now: float) -> None:
        """Take in what a step did."""
        usage = self.usage + progress.usage
        self.calls, self.tokens_in, self.tokens_out = usage.calls, usage.tokens_in, usage.tokens_out
        self.usd = None if usage.cost_usd is None else str(usage.cost_usd)
        idle = not progress.stored and bool(progress.left or progress.wait)
        self.position, self.down = progress.position, progress.down
        for why, count in progress.left.items():
            self.left[why] = self.left.get(why, 0) + count
        if progress.ended:
            self._end_pass(now)
            return
        self.idle = self.idle + 1 if idle else 0
        wait = progress.wait
        if self.idle:
            wait = max(wait, min(PASS_WAIT * 2.0 ** (self.idle - 1), LONGEST_WAIT))
        self.ready_at = now + wait
        self.over = self.idle >= MOST_IDLE

    def _end_pass(self, now: float) -> None:
        # Waiting for another worker is no attempt: its questions get a verdict or the claim expires.
        self.passes += any(why != CLAIMED for why in self.left)
        if not self.left or self.passes >= MOST_PASSES:
            self.over = True
            return
        self.position, self.ready_at = 0, now + PASS_WAIT
        self.left = {}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """After a step. `state` is to be kept; `wait` is when to step again, in seconds, and `waits_for` says what for."""

    state: dict[str, Any]
    over: bool
    fraction: float
    wait: float = 0.0
    waits_for: str = ""


def advance(
    jury: Sequence[Juror],
    plan: Plan,
    rows: Callable[[int], Iterable[Row]],
    state: Mapping[str, Any],
    *,
    total: int,
    seconds: float = STEP_SECONDS,
    now: Callable[[], float] = time.time,
) -> Stage:
    """Ask one judge of the jury for about `seconds`. `rows(n)` gives the `total` rows from number n on, in one order.

    Call it outside a transaction and in the tenant's scope. To judge again, begin with an empty state.
    """
    standings = standings_of(jury, state)
    open_ = [juror for juror in jury if not standings[juror.fingerprint].over]
    ready = [juror for juror in open_ if standings[juror.fingerprint].ready_at <= now()]
    if ready:
        # The one that is furthest behind, so that a jury gets along together.
        juror = min(ready, key=lambda one: (standings[one.fingerprint].passes, standings[one.fingerprint].position))
        standing = standings[juror.fingerprint]
        progress = ask(juror, plan, rows(standing.position), position=standing.position, seconds=seconds)
        standing.note(progress, now())
    left = [standing for standing in standings.values() if not standing.over]
    soonest = min(left, key=lambda one: one.ready_at, default=None)
    return Stage(
        state={fingerprint: asdict(standing) for fingerprint, standing in standings.items()},
        over=not left,
        fraction=_fraction(list(standings.values()), total),
        wait=max(soonest.ready_at - now(), 0.0) if soonest else 0.0,
        waits_for=soonest.down if soonest else "",
    )


def standings_of(jury: Sequence[Juror], state: Mapping[str, Any]) -> dict[str, Standing]:
    """By the judge's fingerprint; a judge that was changed since is a new one and begins anew."""
    return {juror.fingerprint: Standing(**state.get(juror.fingerprint, {})) for juror in jury}


def _fraction(standings: Sequence[Standing], total: int) -> float:
    done = math.fsum(1.0 if one.over or one.passes else min(one.position / max(total, 1), 1.0) for one in standings)
    return done / max(len(standings), 1)
