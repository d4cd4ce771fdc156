"""Asks one judge what has no verdict yet, for a bounded time.

Each verdict is stored as it comes, so a worker that is killed has paid in vain for the calls in flight at most.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from evaluations.judges.backends.base import Verdict
from evaluations.judges.backends.errors import CircuitOpen, JudgeError, Later, Unauthorised
from evaluations.judges.backends.usage import NOTHING, Usage
from evaluations.judges.prompts import Prompt
from evaluations.judging import claims, queries
from evaluations.judging.jurors import Juror
from evaluations.judging.plan import Plan, Question, Row, numbered
from evaluations.judging.services import keep_failure, keep_verdict

CHUNK = 100
"""Questions looked up at once: the most that is held in memory."""

CLAIMED = "claimed"
"""Why a question is left that another worker asks."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What one call of `ask` did.

    Rows before `position` have been looked at, and all of them if `ended`. `known` questions had a verdict before,
    `stored` ones have one now, of which `failed` will never have a score, by why; `left` have none yet, by why. The
    judge is worth asking again in `wait` seconds; `down` says why not before, for people. `usage` has failed calls too.
    """

    position: int
    ended: bool
    known: int
    stored: int
    failed: Mapping[str, int]
    left: Mapping[str, int]
    usage: Usage
    wait: float = 0.0
    down: str = ""


def ask(
    juror: Juror,
    plan: Plan,
    rows: Iterable[Row],
    *,
    position: int = 0,
    seconds: float = math.inf,
    clock: Callable[[], float] = time.monotonic,
) -> Progress:
    """Ask about `rows`, the first of which has the number `position`, and start no call after `seconds`.

    Call it outside a transaction and in the tenant's scope.
    """
    return _Step(juror, clock, clock() + seconds).take(plan, rows, position)


@dataclass
class _Step:
    juror: Juror
    clock: Callable[[], float]
    until: float
    known: int = 0
    stored: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    usage: Usage = NOTHING
    stopped_by: JudgeError | None = None
    rows_seen: int = 0

    @property
    def over(self) -> bool:
        return self.stopped_by is not None or self.clock() >= self.until

    def take(self, plan: Plan, rows: Iterable[Row], position: int) -> Progress:
        last = position
        questions = numbered(plan, self._counted(rows, position), start=position)
        while not self.over:
            chunk = list(islice(questions, CHUNK))
            if not chunk:
                return self._progress(self.rows_seen, ended=True)
            untried = self._ask_chunk(chunk)
            last = min(untried, default=chunk[-1][0])
        return self._progress(last, ended=False)

    def _counted(self, rows: Iterable[Row], position: int) -> Iterator[Row]:
        self.rows_seen = position
        for row in rows:
            yield row
            self.rows_seen += 1

    def _ask_chunk(self, chunk: list[tuple[int, Question]]) -> set[int]:
        """Numbers of the rows of questions that were not tried."""
        prompts: dict[str, Prompt] = {}
        numbers: dict[str, set[int]] = {}
        for number, question in chunk:
            prompt = self.juror.prompt(question)
            key = self.juror.key(prompt)
            prompts[key] = prompt
            numbers.setdefault(key, set()).add(number)
        known = queries.stored(prompts.keys())
        self.known += len(known)
        waiting = [key for key in prompts if key not in known]
        untried = set(waiting)
        for key, outcome in self.juror.caller.ask_all(self._claimed(waiting, prompts, untried), until=self.until):
            if not self._keep(key, prompts[key], outcome):
                untried.add(key)
        return set().union(*(numbers[key] for key in untried))

    def _claimed(
        self, keys: list[str], prompts: Mapping[str, Prompt], untried: set[str]
    ) -> Iterator[tuple[str, Prompt]]:
        for key in keys:
            if self.over:
                return
            untried.discard(key)
            if claims.claim(key):
                yield key, prompts[key]
            else:
                self.left[CLAIMED] += 1

    def _keep(self, key: str, prompt: Prompt, outcome: Verdict | JudgeError) -> bool:
        """Store it; False if the judge was not asked."""
        self.usage += outcome.usage
        self.juror.record(outcome.usage)
        if isinstance(outcome, Verdict):
            keep_verdict(juror=self.juror, prompt=prompt, verdict=outcome)
            self.stored += 1
            return True
        if keep_failure(juror=self.juror, prompt=prompt, error=outcome):
            self.stored += 1
            self.failed[outcome.kind] += 1
            return True
        claims.release(key)
        if isinstance(outcome, CircuitOpen | Later | Unauthorised):
            # After a wrong secret, others only say that the judge is not asked.
            if self.stopped_by is None or isinstance(outcome, Unauthorised):
                self.stopped_by = outcome
            return False
        self.left[outcome.kind] += 1
        return True

    def _progress(self, position: int, *, ended: bool) -> Progress:
        stopped = self.stopped_by
        return Progress(
            position=position,
            ended=ended,
            known=self.known,
            stored=self.stored,
            failed=dict(self.failed),
            left=dict(self.left),
            usage=self.usage,
            wait=(stopped.retry_after or self.juror.caller.breaker.seconds) if stopped else 0.0,
            down=stopped.text if stopped else "",
        )
