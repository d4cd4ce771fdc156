"""Verdicts are kept once and for good, and a failure never has a score."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import IntegrityError, transaction

from evaluations.judges.backends.base import Verdict as Given
from evaluations.judges.backends.errors import Refused
from evaluations.judges.backends.usage import Usage
from evaluations.judges.prompts import CORRECT, prompt_for
from evaluations.judges.services import create_judge, delete_judge
from evaluations.judging.asking import ask
from evaluations.judging.jurors import juror_of
from evaluations.judging.plan import Plan
from evaluations.judging.queries import known_of
from evaluations.judging.services import forget_failures, keep_failure, keep_verdict
from evaluations.models import Judge, Verdict
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.evaluations.judging.case import one_criterion, rows, scripted_juror

OPENAI: dict[str, Any] = {"name": "Strict", "kind": "openai", "model": "grader", "address": "https://judge.example/v1"}
PROMPT = prompt_for(CORRECT, messages=[], reference="r", answer="a")

pytestmark = pytest.mark.django_db


@pytest.fixture
def judge(in_tenant: Tenant) -> Judge:
    return create_judge(tenant=in_tenant, **OPENAI)


def given(score: float, reason: str = "As I see it.") -> Given:
    usage = Usage(calls=2, tokens_in=100, tokens_out=20, cost_usd=Decimal("0.0002432000"))
    return Given(score=score, distribution={2: 0.5, 3: 0.5}, basis="logprobs", reason=reason, raw=(), usage=usage)


def test_the_first_verdict_counts(judge: Judge) -> None:
    juror = juror_of(judge)
    keep_verdict(juror=juror, prompt=PROMPT, verdict=given(2.5))
    keep_verdict(juror=juror, prompt=PROMPT, verdict=given(4.5))
    keep_failure(juror=juror, prompt=PROMPT, error=Refused("no"))
    found = Verdict.objects.get()
    assert (found.score, found.distribution, found.basis) == (2.5, {"2": 0.5, "3": 0.5}, "logprobs")
    assert (found.calls, found.usd, found.judge) == (2, Decimal("0.0002432"), judge)
    assert known_of([juror.key(PROMPT), "unknown"]).keys() == {juror.key(PROMPT)}


def test_the_database_refuses_a_score_beside_an_error(in_tenant: Tenant) -> None:
    for wrong in ({"score": 3.0, "error": "refused"}, {"score": None, "error": ""}):
        with pytest.raises(IntegrityError, match="verdict_score_or_error"), transaction.atomic():
            Verdict.objects.create(key="k", prompt_sha256="p", judge_name="j", calls=1, **wrong)


def test_verdicts_outlive_their_judge(judge: Judge) -> None:
    keep_verdict(juror=juror_of(judge), prompt=PROMPT, verdict=given(2.5))
    delete_judge(judge=judge)
    found = Verdict.objects.get()
    assert (found.judge, found.judge_name, found.score) == (None, "Strict", 2.5)


def test_what_was_declined_can_be_asked_again(judge: Judge, other_tenant: Tenant) -> None:
    juror = juror_of(judge)
    other = prompt_for(CORRECT, messages=[], reference="r", answer="b")
    keep_failure(juror=juror, prompt=PROMPT, error=Refused("no"))
    keep_verdict(juror=juror, prompt=other, verdict=given(2.5))
    with tenant_scope(other_tenant.id):
        assert forget_failures(judge_id=judge.id) == 0
    assert forget_failures(judge_id=judge.id) == 1
    assert known_of([juror.key(PROMPT), juror.key(other)]).keys() == {juror.key(other)}


def test_other_tenants_see_nothing(tenant: Tenant, other_tenant: Tenant) -> None:
    cache.clear()
    with tenant_scope(tenant.id):
        ask(scripted_juror()[0], Plan(rubric=one_criterion()), rows(3))
        assert Verdict.objects.count() == 6
    with tenant_scope(other_tenant.id):
        assert not Verdict.objects.exists()
