"""The stage goes on where it stopped, comes back to what failed, waits for a judge that is down, and ends."""

import json
from typing import Any

import pytest
from django.core.cache import cache

from evaluations.judges.backends.errors import JudgeError, Refused, TimedOut, Unauthorised
from evaluations.judges.calling import Breaker
from evaluations.judges.prompts import Choice, Prompt
from evaluations.judging.jurors import Juror
from evaluations.judging.plan import Plan
from evaluations.judging.steps import MOST_IDLE, MOST_PASSES, PASS_WAIT, Stage, advance, standings_of
from evaluations.models import Verdict
from tenants.models import Tenant
from tests.evaluations.judging.case import by_rule, one_criterion, rows, scripted_juror

PLAN = Plan(rubric=one_criterion())
TOTAL = 30

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_is_claimed() -> None:
    cache.clear()


class Clock:
    """Unix time that passes only by waiting."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def run(jury: list[Juror], clock: Clock, *, most: int = 200) -> tuple[Stage, list[Stage]]:
    """Step until it is over; the state goes through JSON, as in a job."""
    state: dict[str, Any] = {}
    stages: list[Stage] = []
    for _ in range(most):
        stage = advance(jury, PLAN, lambda start: rows(TOTAL, start), state, total=TOTAL, now=clock)
        stages.append(stage)
        if stage.over:
            return stage, stages
        state = json.loads(json.dumps(stage.state))
        clock.now += stage.wait
    raise AssertionError(stages[-1])


def test_a_jury_is_asked_one_after_the_other(in_tenant: Tenant) -> None:
    jury = [scripted_juror(name=name)[0] for name in ("one", "two", "three")]
    stage, stages = run(jury, Clock())
    assert [round(one.fraction, 2) for one in stages] == [0.33, 0.67, 1.0]
    assert Verdict.objects.count() == 3 * 2 * TOTAL
    assert {standing.calls for standing in standings_of(jury, stage.state).values()} == {2 * TOTAL}


def test_what_failed_is_asked_again_after_a_while(in_tenant: Tenant) -> None:
    failed: set[str] = set()

    def respond(prompt: Prompt) -> Choice | JudgeError:
        if "box 1" in prompt.user and prompt.sha256 not in failed:
            failed.add(prompt.sha256)
            return TimedOut("late")
        return by_rule(prompt)

    clock = Clock()
    juror, judge = scripted_juror(respond, attempts=1)
    stage, stages = run([juror], clock)
    assert len(stages) == 2
    assert stages[0].wait == PASS_WAIT
    assert standings_of([juror], stages[0].state)[juror.fingerprint].position == 0
    assert Verdict.objects.count() == 2 * TOTAL
    usage = standings_of([juror], stage.state)[juror.fingerprint].usage
    assert usage.calls == len(judge.asked) == 2 * TOTAL + len(failed)


def test_what_always_fails_ends_the_stage_without_a_score(in_tenant: Tenant) -> None:
    juror, judge = scripted_juror(lambda prompt: TimedOut("late"), attempts=1, breaker=Breaker(failures=1_000))
    stage, stages = run([juror], Clock())
    assert len(stages) == MOST_PASSES
    assert standings_of([juror], stage.state)[juror.fingerprint].left == {"timeout": 2 * TOTAL}
    assert len(judge.asked) == MOST_PASSES * 2 * TOTAL
    assert not Verdict.objects.exists()


def test_a_refusal_is_not_asked_again(in_tenant: Tenant) -> None:
    juror, judge = scripted_juror(lambda prompt: Refused("no"))
    _, stages = run([juror], Clock())
    assert (len(stages), len(judge.asked)) == (1, 2 * TOTAL)


def test_a_judge_that_is_down_is_waited_for_and_then_given_up(in_tenant: Tenant) -> None:
    clock = Clock()
    down, _ = scripted_juror(
        lambda prompt: Unauthorised("The secret is wrong."), name="down", breaker=Breaker(clock=clock)
    )
    well, _ = scripted_juror(name="well")
    stage, stages = run([down, well], clock)
    assert stages[0].waits_for == ""
    assert {one.waits_for for one in stages[2:-1]} == {"The secret is wrong."}
    assert clock.now - 1_000 > 3_600
    assert standings_of([down], stage.state)["down"].idle == MOST_IDLE
    assert Verdict.objects.count() == 2 * TOTAL


def test_a_judge_that_comes_back_is_asked_on(in_tenant: Tenant) -> None:
    clock = Clock()
    juror, judge = scripted_juror(lambda prompt: Unauthorised("The secret is wrong."), breaker=Breaker(clock=clock))
    stage = advance([juror], PLAN, lambda start: rows(TOTAL, start), {}, total=TOTAL, now=clock)
    assert (stage.over, stage.waits_for) == (False, "The secret is wrong.")
    same = advance([juror], PLAN, lambda start: rows(TOTAL, start), stage.state, total=TOTAL, now=clock)
    assert same.state == stage.state
    assert same.wait == stage.wait > 0
    judge.respond = by_rule
    clock.now += stage.wait
    assert advance([juror], PLAN, lambda start: rows(TOTAL, start), stage.state, total=TOTAL, now=clock).over
    assert Verdict.objects.count() == 2 * TOTAL


def test_waiting_for_another_worker_is_no_attempt(in_tenant: Tenant) -> None:
    clock = Clock()
    juror, _ = scripted_juror()
    claimed = f"judging:{in_tenant.id}:{juror.key(next(iter(PLAN.questions(next(rows(1))))).prompt)}"
    cache.set(claimed, True)
    state: dict[str, Any] = {}
    for _ in range(MOST_PASSES + 1):
        stage = advance([juror], PLAN, lambda start: rows(TOTAL, start), state, total=TOTAL, now=clock)
        assert not stage.over
        state = stage.state
        clock.now += stage.wait
    cache.delete(claimed)
    assert advance([juror], PLAN, lambda start: rows(TOTAL, start), state, total=TOTAL, now=clock).over


def test_a_changed_judge_begins_anew(in_tenant: Tenant) -> None:
    before, _ = scripted_juror(name="before")
    stage = advance([before], PLAN, lambda start: rows(TOTAL, start), {}, total=TOTAL)
    after, judge = scripted_juror(name="after")
    assert advance([after], PLAN, lambda start: rows(TOTAL, start), stage.state, total=TOTAL).over
    assert len(judge.asked) == 2 * TOTAL
