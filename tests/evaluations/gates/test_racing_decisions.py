"""People who decide at the same time: an approval counts once, and a decision is opened and closed once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connections, transaction

from evaluations.gates.promotion import clear_for_promotion, decision_for_promotion
from evaluations.gates.queries import decision_named
from evaluations.gates.services import approve, open_decision, override, reject, set_policy
from evaluations.models import Approval, Decision, DecisionState, EvaluationRun
from lorakit.gates.policy import DEFAULT
from rest.errors import Conflict
from tenants.models import AuditEvent, Tenant, User
from tenants.scope import tenant_scope

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

TIMES = 10


@pytest.fixture
def run(tenant: Tenant, make_evaluation: Callable[..., EvaluationRun]) -> EvaluationRun:
    return make_evaluation(tenant, rows=24)


def at_once(tenant: Tenant, *writes: Callable[[], Any]) -> list[str]:
    """What each came to: its error's code, or nothing."""
    barrier = Barrier(len(writes))

    def write(one: Callable[[], Any]) -> str:
        try:
            with tenant_scope(tenant.id):
                barrier.wait()
                one()
        except Conflict as error:
            return error.code
        finally:
            connections.close_all()
        return ""

    with ThreadPoolExecutor(len(writes)) as threads:
        return list(threads.map(write, writes))


def promoting(decision: Decision) -> None:
    with transaction.atomic():
        clear_for_promotion(decision, asked_by=None)


def test_an_approval_counts_once(tenant: Tenant, run: EvaluationRun, bob: User) -> None:
    with tenant_scope(tenant.id):
        decision = open_decision(tenant=tenant, version=run.version, opened_by=None)
    for _ in range(TIMES):
        assert at_once(tenant, *[partial(approve, decision=decision, person=bob)] * 4) == [""] * 4
    with tenant_scope(tenant.id):
        assert Approval.objects.count() == 1
        assert AuditEvent.objects.filter(action="decision.approved").count() == 1


def test_a_decision_is_closed_once(tenant: Tenant, run: EvaluationRun, alice: User, bob: User) -> None:
    for _ in range(TIMES):
        with tenant_scope(tenant.id):
            decision = open_decision(tenant=tenant, version=run.version, opened_by=None)
        codes = at_once(
            tenant,
            partial(reject, decision=decision, reason="No.", closed_by=bob),
            partial(override, decision=decision, reason="Yes.", closed_by=alice),
            partial(promoting, decision),
            partial(approve, decision=decision, person=bob),
        )
        assert codes[:3].count("") == 1
        assert set(codes) <= {"", "decision:closed"}
        with tenant_scope(tenant.id):
            closed = decision_named(decision.id)
            assert not closed.is_open
            assert closed.verdict["state"] == "passes"
            assert AuditEvent.objects.filter(target_id=str(decision.id), before__state="open").count() == 1


def test_promotions_share_the_decision_that_the_first_one_opens(tenant: Tenant, run: EvaluationRun) -> None:
    found: list[Decision] = []

    def ask() -> None:
        found.append(decision_for_promotion(tenant=tenant, version=run.version, asked_by=None))

    assert at_once(tenant, *[ask] * 4) == [""] * 4
    assert len({decision.id for decision in found}) == 1


def test_a_promotion_replaces_a_decision_that_a_newer_policy_made_pointless(tenant: Tenant, run: EvaluationRun) -> None:
    with tenant_scope(tenant.id):
        outdated = decision_for_promotion(tenant=tenant, version=run.version, asked_by=None)
        policy = replace(DEFAULT, may_override=False)
        set_policy(tenant=tenant, adapter=run.version.adapter, policy=policy, set_by=None)
        decision = decision_for_promotion(tenant=tenant, version=run.version, asked_by=None)
        assert decision.id != outdated.id
        assert decision_named(outdated.id).state == DecisionState.REPLACED
