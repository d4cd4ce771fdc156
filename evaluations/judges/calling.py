"""Asks a judge many times: within its rate, a few at once, again after passing faults, and not at all while it is down.

A stage of a run makes one `Caller` and iterates over `ask_all`; each result is to be stored as it comes, so that
nothing is asked twice after a restart.
"""

import math
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from evaluations.judges.backends.base import Completion, Judge, Verdict
from evaluations.judges.backends.errors import (
    CircuitOpen,
    JudgeError,
    Later,
    Malformed,
    NotJSON,
    Rejected,
    Unauthorised,
)
from evaluations.judges.backends.usage import NOTHING
from evaluations.judges.prompts import Prompt

K = TypeVar("K")
R = TypeVar("R", Verdict, Completion)

ATTEMPTS = 4
FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0


@dataclass
class Breaker:
    """Opens after `failures` calls in a row without a verdict, and lets one through after `seconds`."""

    failures: int = 8
    seconds: float = 30.0
    clock: Callable[[], float] = time.monotonic
    _count: int = field(default=0, init=False)
    _cause: str = field(default="", init=False)
    _opened_at: float | None = field(default=None, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def check(self) -> None:
        """Raise CircuitOpen while it is open."""
        with self._lock:
            if self._opened_at is None:
                return
            left = self._opened_at + self.seconds - self.clock()
            if left > 0:
                raise CircuitOpen(f"{self._cause} It is not asked for now.".strip(), retry_after=left)
            # This call is the trial; others wait for its outcome.
            self._opened_at = self.clock()

    def succeeded(self) -> None:
        with self._lock:
            self._count, self._opened_at = 0, None

    def failed(self, cause: str = "", *, at_once: bool = False) -> None:
        with self._lock:
            self._count, self._cause = self._count + 1, cause
            if at_once or self._count >= self.failures:
                self._opened_at = self.clock()


@dataclass
class Pace:
    """Spreads calls evenly: at most `per_minute`, None for no limit. Of this process only."""

    per_minute: float | None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _next: float = field(default=0.0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def wait(self, until: float = math.inf) -> None:
        """Return when the next call may start. Raises Later if that is after `until`."""
        if not self.per_minute:
            return
        with self._lock:
            now = self.clock()
            start = max(self._next, now)
            if start > until:
                raise Later("The judge’s rate limit is used up for now.", retry_after=start - now)
            self._next = start + 60.0 / self.per_minute
        if start > now:
            self.sleep(start - now)


class Caller:
    """Asks one judge. Keep it for as long as its judge: it knows the judge's pace and health."""

    def __init__(
        self,
        judge: Judge,
        *,
        concurrency: int = 4,
        attempts: int = ATTEMPTS,
        per_minute: float | None = None,
        breaker: Breaker | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.judge = judge
        self.concurrency = concurrency
        self.attempts = attempts
        self.breaker = breaker or Breaker()
        self._pace = Pace(per_minute, sleep=sleep)
        self._sleep = sleep

    def ask(self, prompt: Prompt, *, until: float = math.inf) -> Verdict:
        """The verdict, as `attempt` gets it."""
        return self.attempt(partial(self.judge.ask, prompt), until=until)

    def attempt(self, call: Callable[[], R], *, until: float = math.inf) -> R:
        """What `call` of the judge's server returns, its usage that of every attempt.

        Raises the last attempt's JudgeError, with all usage. No attempt starts after `until`, by the clock of the pace;
        the last one may end after it. Raises Later where the server or the judge's rate asks to wait until after that.
        """
        spent = NOTHING
        for attempt in range(1, self.attempts + 1):
            try:
                self.breaker.check()
                self._pace.wait(until)
                result = call()
            except JudgeError as error:
                spent += error.usage
                error.usage = spent
                self._note(error)
                if attempt == self.attempts or not error.temporary or isinstance(error, CircuitOpen | Later):
                    raise
                pause = delay(attempt, error.retry_after)
                if self._pace.clock() + pause > until:
                    if error.retry_after is None:
                        raise
                    # The server named the time, so this is no failure.
                    raise Later(error.text, retry_after=pause, usage=spent) from None
                self._sleep(pause)
            else:
                self.breaker.succeeded()
                return replace(result, usage=spent + result.usage)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def ask_all(
        self, prompts: Iterable[tuple[K, Prompt]], *, until: float = math.inf
    ) -> Iterator[tuple[K, Verdict | JudgeError]]:
        """(key, verdict or error) of each (key, prompt), as they come; `prompts` is read only as far as needed."""
        return self.attempt_all(((key, partial(self.judge.ask, prompt)) for key, prompt in prompts), until=until)

    def attempt_all(
        self, calls: Iterable[tuple[K, Callable[[], R]]], *, until: float = math.inf
    ) -> Iterator[tuple[K, R | JudgeError]]:
        """(key, result or error) of each (key, call), a few at once, as they come."""
        waiting = iter(calls)
        running: dict[Future[R | JudgeError], K] = {}
        with ThreadPoolExecutor(max_workers=self.concurrency, thread_name_prefix="judge") as threads:
            while True:
                while len(running) < self.concurrency and (following := next(waiting, None)) is not None:
                    running[threads.submit(self._outcome, following[1], until)] = following[0]
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield running.pop(future), future.result()

    def _outcome(self, call: Callable[[], R], until: float) -> R | JudgeError:
        try:
            return self.attempt(call, until=until)
        except JudgeError as error:
            return error

    def _note(self, error: JudgeError) -> None:
        """Whether the judge is well: a reply that is unusable or declined is still one of a working server."""
        if isinstance(error, Unauthorised):
            self.breaker.failed(error.text, at_once=True)
        elif isinstance(error, CircuitOpen | Later):
            return
        elif isinstance(error, Rejected | NotJSON) or (error.temporary and not isinstance(error, Malformed)):
            # An unknown model rejects every prompt, one after the other; a proxy answers each with the same page.
            self.breaker.failed(error.text)
        else:
            self.breaker.succeeded()


def delay(attempt: int, retry_after: float | None) -> float:
    """Seconds before the attempt after `attempt`: what the server asked for, else doubling; both with jitter."""
    if retry_after is not None:
        # Never sooner than asked, and not all callers at once.
        return retry_after + random.uniform(0.0, max(0.25 * retry_after, 0.25))  # noqa: S311
    longest = min(FIRST_WAIT * 2.0 ** (attempt - 1), LONGEST_WAIT)
    return random.uniform(0.5, 1.0) * longest  # noqa: S311
