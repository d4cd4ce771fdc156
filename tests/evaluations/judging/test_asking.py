"""Each question is asked once, whatever happens in between; what failed in a passing way is left for later."""

import threading
from collections import Counter

import pytest
from django.core.cache import cache
from django.db import connection

from evaluations.judges.backends.errors import (
    CutOff,
    JudgeError,
    Malformed,
    Refused,
    Rejected,
    Throttled,
    TimedOut,
    Unauthorised,
    Unavailable,
)
from evaluations.judges.calling import Breaker
from evaluations.judges.prompts import Choice, Prompt
from evaluations.judging.asking import CHUNK, ask
from evaluations.judging.plan import Plan
from evaluations.models import Verdict
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.evaluations.judging.case import by_rule, one_criterion, row, rows, rubric, scripted_juror

PLAN = Plan(rubric=one_criterion())

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_is_claimed() -> None:
    cache.clear()


def test_every_answer_gets_a_verdict_once(in_tenant: Tenant) -> None:
    juror, judge = scripted_juror()
    first = ask(juror, PLAN, rows(120))
    assert (first.ended, first.position, first.stored, first.known, first.usage.calls) == (True, 120, 240, 0, 240)
    again = ask(juror, PLAN, rows(120))
    assert (again.ended, again.stored, again.known, again.usage.calls) == (True, 0, 240, 0)
    assert len(judge.asked) == 240 > CHUNK


def test_a_verdict_is_stored_with_all_that_it_took(in_tenant: Tenant) -> None:
    juror, _ = scripted_juror()
    ask(juror, Plan(rubric=one_criterion(), pairs=(("base", "v1"),)), [row(3)])
    found = {(verdict.choice, verdict.score): verdict for verdict in Verdict.objects.all()}
    assert found.keys() == {("", 1.0), ("", 5.0), ("second", 0.0), ("first", 1.0)}
    best = found["", 5.0]
    assert (best.distribution, best.basis, best.reason) == ({"5": 1.0}, "samples", "As I see it.")
    assert (best.calls, best.tokens_in, best.tokens_out, best.usd, best.judge_name) == (1, 10, 5, None, "scripted")
    assert len(best.key) == len(best.prompt_sha256) == 64


def test_another_judge_is_asked_anew(in_tenant: Tenant) -> None:
    for name in ("one", "other"):
        juror, judge = scripted_juror(name=name)
        ask(juror, PLAN, rows(3))
        assert len(judge.asked) == 6


def test_another_tenants_verdicts_are_not_used(tenant: Tenant, other_tenant: Tenant) -> None:
    juror, judge = scripted_juror()
    for owner in (tenant, other_tenant):
        with tenant_scope(owner.id):
            assert ask(juror, PLAN, rows(3)).stored == 6
    assert len(judge.asked) == 12


@pytest.mark.parametrize("error", [Refused, CutOff])
def test_a_failure_of_the_prompt_is_stored_and_never_a_score(in_tenant: Tenant, error: type[JudgeError]) -> None:
    juror, judge = scripted_juror(lambda prompt: error("It declined."))
    progress = ask(juror, PLAN, rows(3))
    assert (progress.failed, progress.left) == ({error.kind: 6}, {})
    assert set(Verdict.objects.values_list("score", "error", "reason", "calls")) == {
        (None, error.kind, "It declined.", 1)
    }
    assert ask(juror, PLAN, rows(3)).known == 6
    assert len(judge.asked) == 6


@pytest.mark.parametrize("error", [TimedOut, Throttled, Unavailable, Malformed, Rejected])
def test_any_other_failure_is_left_for_later(in_tenant: Tenant, error: type[JudgeError]) -> None:
    juror, judge = scripted_juror(lambda prompt: error("Not now."), attempts=2)
    progress = ask(juror, PLAN, rows(3))
    assert (progress.left, progress.failed, progress.stored) == ({error.kind: 6}, {}, 0)
    assert progress.usage.calls == len(judge.asked)
    assert not Verdict.objects.exists()
    judge.respond = by_rule
    assert ask(juror, PLAN, rows(3)).stored == 6


def test_a_wrong_secret_stops_at_once_and_says_so(in_tenant: Tenant) -> None:
    juror, judge = scripted_juror(lambda prompt: Unauthorised("The secret is wrong."), concurrency=2)
    progress = ask(juror, PLAN, rows(500))
    assert len(judge.asked) <= 3
    assert (progress.ended, progress.position, progress.down) == (False, 0, "The secret is wrong.")
    assert progress.wait > 0


def test_a_judge_that_is_down_is_left_alone_until_it_may_be_back(in_tenant: Tenant) -> None:
    now = [0.0]
    breaker = Breaker(failures=3, seconds=40, clock=lambda: now[0])
    juror, judge = scripted_juror(lambda prompt: Unavailable("down"), attempts=1, concurrency=1, breaker=breaker)
    progress = ask(juror, PLAN, rows(500))
    assert len(judge.asked) == 3
    assert (progress.left, progress.ended, progress.wait) == ({"unavailable": 3}, False, 40)
    assert progress.down == "down It is not asked for now."
    assert progress.position == 1, "the fourth question, of the second row, was not asked"
    now[0], judge.respond = 41.0, by_rule
    assert ask(juror, PLAN, rows(500, 1), position=1).ended


def test_a_server_that_asks_to_wait_is_not_asked_meanwhile(in_tenant: Tenant) -> None:
    juror, judge = scripted_juror(lambda prompt: Throttled("It limits requests.", retry_after=60), concurrency=2)
    progress = ask(juror, PLAN, rows(500), seconds=15)
    assert len(judge.asked) <= 3
    assert (progress.left, progress.position, progress.down) == ({}, 0, "It limits requests.")
    assert progress.wait >= 60
    judge.respond = by_rule
    assert ask(juror, PLAN, rows(20), seconds=15).stored == 40


def test_time_is_kept_and_the_next_step_goes_on(in_tenant: Tenant) -> None:
    now = [0.0]

    def respond(prompt: Prompt) -> Choice:
        now[0] += 1.0
        return by_rule(prompt)

    juror, judge = scripted_juror(respond, concurrency=1)
    first = ask(juror, PLAN, rows(40), seconds=15, clock=lambda: now[0])
    assert (first.ended, first.stored, first.position) == (False, 15, 7)
    position = first.position
    while not (
        progress := ask(juror, PLAN, rows(40, position), position=position, seconds=15, clock=lambda: now[0])
    ).ended:
        position = progress.position
    assert Counter(prompt.sha256 for prompt in judge.asked) == Counter({prompt.sha256: 1 for prompt in judge.asked})
    assert len(judge.asked) == 80


def test_a_row_with_more_questions_than_are_looked_up_at_once_gets_done(in_tenant: Tenant) -> None:
    wide = row(1, {f"v{number}": f"SHELF {number}" for number in range(CHUNK)})
    juror, _ = scripted_juror()
    assert ask(juror, Plan(rubric=rubric()), [wide, row(2)]).stored == 2 * CHUNK + 4


@pytest.mark.django_db(transaction=True)
def test_two_workers_do_not_ask_the_same(tenant: Tenant) -> None:
    together = threading.Barrier(2)
    juror, judge = scripted_juror()
    stored: list[int] = []

    def work() -> None:
        try:
            with tenant_scope(tenant.id):
                together.wait(timeout=30)
                stored.append(ask(juror, PLAN, rows(60)).stored)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(stored) == len(judge.asked) == len({prompt.sha256 for prompt in judge.asked}) == 120


def test_what_another_worker_asks_is_left(in_tenant: Tenant) -> None:
    juror, _ = scripted_juror()
    claimed = juror.key(next(iter(PLAN.questions(row(0)))).prompt)
    cache.set(f"judging:{in_tenant.id}:{claimed}", True)
    progress = ask(juror, PLAN, rows(3))
    assert (progress.stored, progress.left) == (5, {"claimed": 1})
    cache.clear()
    assert ask(juror, PLAN, rows(3)).stored == 1
