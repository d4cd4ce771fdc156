"""A judge is asked within its rate, again after passing faults, and not at all while it is down."""

import random
import threading
from collections.abc import Callable, Iterator

import pytest

from evaluations.judges.backends.base import Judge, Verdict
from evaluations.judges.backends.errors import (
    CircuitOpen,
    JudgeError,
    Later,
    Malformed,
    NotJSON,
    Refused,
    Rejected,
    Throttled,
    TimedOut,
    Unauthorised,
    Unavailable,
)
from evaluations.judges.backends.usage import Usage
from evaluations.judges.calling import Breaker, Caller, Pace, delay
from evaluations.judges.prompts import CORRECT, Prompt, prompt_for


class Scripted(Judge):
    """Answers by `respond`, and counts how many it answers at once."""

    label = "Scripted"
    is_llm = True

    def __init__(self, respond: Callable[[Prompt], JudgeError | None]) -> None:
        super().__init__("test", {})
        self.respond = respond
        self.asked = 0
        self.now = self.most = 0
        self._lock = threading.Lock()

    def ask(self, prompt: Prompt) -> Verdict:
        with self._lock:
            self.asked += 1
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            error = self.respond(prompt)
            if error is not None:
                error.usage = Usage(calls=1, tokens_in=10, tokens_out=0)
                raise error
            usage = Usage(calls=1, tokens_in=10, tokens_out=5)
            return Verdict(score=3, distribution={3: 1.0}, basis="samples", reason="r", raw=("r",), usage=usage)
        finally:
            with self._lock:
                self.now -= 1


def prompt(answer: str = "a") -> Prompt:
    return prompt_for(CORRECT, messages=[{"role": "user", "content": "q"}], reference="r", answer=answer)


def in_turn(*errors: JudgeError | None) -> Callable[[Prompt], JudgeError | None]:
    left = list(errors)
    return lambda prompt: left.pop(0) if left else None


def caller(judge: Judge, **options: object) -> tuple[Caller, list[float]]:
    waits: list[float] = []
    return Caller(judge, sleep=waits.append, **options), waits  # type: ignore[arg-type]


def test_a_passing_fault_is_asked_again_and_counted() -> None:
    asker, waits = caller(Scripted(in_turn(TimedOut("late"), Malformed("odd"))))
    verdict = asker.ask(prompt())
    assert (verdict.usage.calls, verdict.usage.tokens_in) == (3, 30)
    assert len(waits) == 2


def test_the_time_that_the_server_names_is_waited() -> None:
    asker, waits = caller(Scripted(in_turn(Throttled("wait", retry_after=7.0))))
    asker.ask(prompt())
    assert 7.0 <= waits[0] <= 7.0 * 1.25


def test_waits_double_with_jitter() -> None:
    for attempt, longest in ((1, 1.0), (2, 2.0), (3, 4.0), (9, 60.0)):
        assert longest / 2 <= delay(attempt, None) <= longest


@pytest.mark.parametrize("error", [Refused("no"), Unauthorised("who?")])
def test_a_lasting_fault_is_not_asked_again(error: JudgeError) -> None:
    judge = Scripted(lambda prompt: type(error)(error.text))
    asker, waits = caller(judge)
    with pytest.raises(type(error)):
        asker.ask(prompt())
    assert (judge.asked, waits) == (1, [])


def test_the_last_attempts_error_carries_all_usage() -> None:
    asker, _ = caller(Scripted(lambda prompt: Unavailable("down")), attempts=3)
    with pytest.raises(Unavailable) as raised:
        asker.ask(prompt())
    assert raised.value.usage.calls == 3


def test_the_circuit_opens_and_lets_one_through_later() -> None:
    now = [0.0]
    judge = Scripted(lambda prompt: Unavailable("down"))
    asker, _ = caller(judge, attempts=1, breaker=Breaker(failures=3, seconds=30, clock=lambda: now[0]))
    for _ in range(3):
        with pytest.raises(Unavailable):
            asker.ask(prompt())
    with pytest.raises(CircuitOpen) as raised:
        asker.ask(prompt())
    assert raised.value.retry_after == 30
    assert judge.asked == 3
    now[0] = 31.0
    judge.respond = lambda prompt: None
    assert asker.ask(prompt()).score == 3
    assert asker.ask(prompt()).score == 3


def test_a_failed_trial_keeps_the_circuit_open() -> None:
    now = [0.0]
    judge = Scripted(lambda prompt: Unauthorised("who?"))
    asker, _ = caller(judge, breaker=Breaker(seconds=30, clock=lambda: now[0]))
    with pytest.raises(Unauthorised):
        asker.ask(prompt())
    now[0] = 31.0
    with pytest.raises(Unauthorised):
        asker.ask(prompt())
    with pytest.raises(CircuitOpen):
        asker.ask(prompt())


def test_unusable_replies_do_not_open_the_circuit() -> None:
    judge = Scripted(lambda prompt: Malformed("odd"))
    asker, _ = caller(judge, attempts=20)
    with pytest.raises(Malformed):
        asker.ask(prompt())
    assert judge.asked == 20


def test_no_more_than_the_limit_are_asked_at_once() -> None:
    together = threading.Barrier(3)

    def wait_for_the_others(prompt: Prompt) -> None:
        together.wait(timeout=30)

    judge = Scripted(wait_for_the_others)
    asker, _ = caller(judge, concurrency=3)
    results = dict(asker.ask_all((number, prompt(str(number))) for number in range(12)))
    assert sorted(results) == list(range(12))
    assert judge.most == 3


def test_prompts_are_read_only_as_far_as_needed() -> None:
    read: list[int] = []

    def prompts() -> Iterator[tuple[int, Prompt]]:
        for number in range(1000):
            read.append(number)
            yield number, prompt(str(number))

    asker, _ = caller(Scripted(lambda prompt: None), concurrency=2)
    next(iter(asker.ask_all(prompts())))
    assert len(read) <= 3


def test_a_fifth_of_faults_is_survived_and_nothing_missing_is_a_score() -> None:
    chance = random.Random(7)
    kinds = (TimedOut, Throttled, Malformed, Refused)

    def respond(prompt: Prompt) -> JudgeError | None:
        return chance.choice(kinds)("fault") if chance.random() < 0.2 else None

    asker, _ = caller(Scripted(respond), breaker=Breaker(failures=50))
    results = dict(asker.ask_all((number, prompt(str(number))) for number in range(300)))
    verdicts = [result for result in results.values() if isinstance(result, Verdict)]
    errors = [result for result in results.values() if isinstance(result, JudgeError)]
    assert len(verdicts) + len(errors) == 300
    assert len(verdicts) >= 270
    assert all(verdict.score == 3 for verdict in verdicts)


def test_a_rate_spreads_the_calls() -> None:
    now = [0.0]
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    pace = Pace(per_minute=30, clock=lambda: now[0], sleep=sleep)
    for _ in range(4):
        pace.wait()
    assert waits == [2.0, 2.0, 2.0]


def test_no_attempt_starts_after_the_time_given() -> None:
    now = [0.0]
    judge = Scripted(lambda prompt: Unavailable("down"))
    asker, _ = caller(judge, attempts=20)
    asker._pace.clock = lambda: now[0]
    asker._sleep = lambda seconds: now.__setitem__(0, now[0] + seconds)
    with pytest.raises(Unavailable):
        asker.ask(prompt(), until=10.0)
    assert 2 <= judge.asked <= 6
    assert now[0] <= 10.0


def test_a_server_that_asks_to_wait_longer_is_asked_later() -> None:
    judge = Scripted(lambda prompt: Throttled("Wait.", retry_after=60.0))
    asker, waits = caller(judge)
    with pytest.raises(Later) as raised:
        asker.ask(prompt(), until=asker._pace.clock() + 10)
    assert (judge.asked, waits) == (1, [])
    assert raised.value.retry_after is not None
    assert raised.value.retry_after >= 60
    assert raised.value.usage.calls == 1


def test_a_rate_that_allows_no_more_calls_is_told() -> None:
    judge = Scripted(lambda prompt: None)
    asker, waits = caller(judge, per_minute=1)
    until = asker._pace.clock() + 10
    asker.ask(prompt(), until=until)
    with pytest.raises(Later) as raised:
        asker.ask(prompt(), until=until)
    assert raised.value.retry_after == pytest.approx(60, abs=5)
    assert (judge.asked, waits) == (1, [])
    assert raised.value.usage.calls == 0


def test_an_unknown_model_opens_the_circuit_and_says_why() -> None:
    judge = Scripted(lambda prompt: Rejected("No such model."))
    asker, _ = caller(judge, breaker=Breaker(failures=2))
    for _ in range(2):
        with pytest.raises(Rejected):
            asker.ask(prompt())
    with pytest.raises(CircuitOpen, match="No such model"):
        asker.ask(prompt())


def test_a_page_instead_of_json_opens_the_circuit_and_an_unfit_reply_does_not() -> None:
    for error, is_open in ((NotJSON, True), (Malformed, False)):
        judge = Scripted(lambda prompt, error=error: error("No verdict."))  # type: ignore[misc]
        caller = Caller(judge, attempts=1, breaker=Breaker(failures=2))
        for _ in range(2):
            with pytest.raises(error):
                caller.ask(prompt())
        with pytest.raises(CircuitOpen if is_open else Malformed):
            caller.ask(prompt())
