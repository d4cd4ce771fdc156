"""What is said before is not far from what is counted after, and what is cached costs nothing."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from evaluations.judges.backends.openai import OpenAIJudge
from evaluations.judges.calling import Caller
from evaluations.judging.asking import ask
from evaluations.judging.costs import estimate, expected, spent
from evaluations.judging.jurors import Juror, shared_juror
from evaluations.judging.plan import Plan
from tenants.models import Tenant
from tests.evaluations.judges.scripted_model import Said, ScriptedModel, obedient, openai_server
from tests.evaluations.judging.case import one_criterion, row, rows

PLAN = Plan(rubric=one_criterion())

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_is_claimed() -> None:
    cache.clear()


def juror(url: str = "http://127.0.0.1:9/v1", **options: Any) -> Juror:
    judge = OpenAIJudge("test", {"URL": url, "MODEL": "grader", **options})
    return Juror(name="GPT", fingerprint="gpt", caller=Caller(judge, sleep=lambda seconds: None))


PRICES: dict[str, Any] = {"PRICE_IN": Decimal("0.4"), "PRICE_OUT": Decimal("1.6")}


def test_the_estimate_holds_what_is_counted_after(in_tenant: Tenant) -> None:
    model = ScriptedModel()
    with openai_server(model) as url:
        judge = juror(url, **PRICES)
        before = estimate(judge, PLAN, rows(20))
        ask(judge, PLAN, rows(20))
    after = spent([judge], PLAN, rows(20))
    assert (before.questions, before.cached, before.calls.low, before.calls.high) == (40, 0, 40, 40)
    assert after.calls == len(model.calls) == 40
    assert after.tokens_in is not None
    assert before.tokens_in.low <= after.tokens_in <= before.tokens_in.high
    assert before.usd is not None
    assert after.cost_usd is not None
    assert before.usd[0] * Decimal("0.9") <= after.cost_usd <= before.usd[1]


def test_what_has_a_verdict_is_not_counted_again(in_tenant: Tenant) -> None:
    with openai_server(ScriptedModel()) as url:
        judge = juror(url)
        ask(judge, PLAN, rows(5))
    found = estimate(judge, PLAN, rows(8))
    assert (found.questions, found.cached, found.calls.low) == (16, 10, 6)
    begun = timezone.now()
    assert spent([judge], PLAN, rows(8)).calls == 10
    assert spent([judge], PLAN, rows(8), since=begun).calls == 0


def test_without_a_price_no_cost_is_stated(in_tenant: Tenant) -> None:
    assert estimate(juror(), PLAN, rows(3)).usd is None
    with openai_server(ScriptedModel()) as url:
        judge = juror(url)
        ask(judge, PLAN, rows(3))
    assert spent([judge], PLAN, rows(3)).cost_usd is None
    assert spent([judge], PLAN, rows(3)).tokens_out


def test_samples_are_counted(in_tenant: Tenant) -> None:
    found = estimate(juror(TEMPERATURE=0.7, SAMPLES=5), PLAN, rows(3))
    assert (found.calls.low, found.calls.high) == (6, 30)


def test_a_sample_of_the_rows_is_scaled(in_tenant: Tenant) -> None:
    whole, part = estimate(juror(**PRICES), PLAN, rows(400)), estimate(juror(**PRICES), PLAN, rows(100), of=400)
    assert part.questions == whole.questions == 800
    assert part.tokens_in.low == pytest.approx(whole.tokens_in.low, rel=0.02)


def test_before_there_are_answers_the_references_length_counts(in_tenant: Tenant) -> None:
    some = [(one.messages, one.reference) for one in rows(10)]
    found = estimate(juror(), Plan(rubric=one_criterion(), pairs=(("a", "b"),)), expected(some, ["a", "b"]))
    assert found.questions == 10 * (2 + 2)


def test_the_reference_grader_costs_nothing(in_tenant: Tenant) -> None:
    judge = shared_juror("default")
    found = estimate(judge, PLAN, rows(3))
    assert (found.calls.high, found.usd) == (0, (Decimal(0), Decimal(0)))
    assert ask(judge, PLAN, rows(3)).stored == 6
    assert spent([judge], PLAN, rows(3)).cost_usd == 0


def test_failed_attempts_of_a_verdict_are_paid_for_too(in_tenant: Tenant) -> None:
    model = ScriptedModel()
    said = [Said(text="Five."), Said(text="{}")]
    model.says = lambda system, user: said.pop() if said else obedient(system, user)
    with openai_server(model) as url:
        judge = juror(url, **PRICES)
        ask(judge, PLAN, [row(1, {"v1": "SHELF 1"})])
    assert spent([judge], PLAN, [row(1, {"v1": "SHELF 1"})]).calls == 3


def test_a_repeated_row_is_paid_for_once(in_tenant: Tenant) -> None:
    with openai_server(ScriptedModel()) as url:
        judge = juror(url)
        ask(judge, PLAN, [row(1), row(1)])
    assert spent([judge], PLAN, [row(1), row(1)]).calls == 2
