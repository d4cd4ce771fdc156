"""Decisions: opened, computed, approved, closed; and what a promotion asks of them."""

from collections.abc import Callable

import pytest
from django.test import Client
from rest_framework.test import APIClient

from adapters.models import AdapterVersion
from evaluations.gates.policies import read_policy
from evaluations.gates.promotion import clear_for_promotion, decision_for_promotion
from evaluations.gates.services import approve, open_decision, override, reject, set_policy, withdraw_approval
from evaluations.gates.verdicts import computed, verdict_of
from evaluations.models import Decision, DecisionState, EvaluationRun
from lorakit.gates.policy import DEFAULT
from rest.errors import Conflict, PortalError
from tenants.audit.verification import verify_trail
from tenants.models import AuditEvent, Tenant, User
from tests.evaluations.conftest import good_adapter

MakeEvaluation = Callable[..., EvaluationRun]
pytestmark = pytest.mark.django_db

STRICT = {"conditions": [{"kind": "leakage"}, {"kind": "approvals", "people": 2}], "may_override": True}


@pytest.fixture
def run(in_tenant: Tenant, make_evaluation: MakeEvaluation) -> EvaluationRun:
    return make_evaluation(in_tenant, rows=30)


def opened(run: EvaluationRun, by: User | None = None) -> Decision:
    return open_decision(tenant=run.tenant, version=run.version, opened_by=by)


def policy_for(run: EvaluationRun, document: dict[str, object]) -> None:
    set_policy(tenant=run.tenant, adapter=run.version.adapter, policy=read_policy(document), set_by=None)


def promoted(version: AdapterVersion, by: User | None = None) -> Decision:
    decision = decision_for_promotion(tenant=version.tenant, version=version, asked_by=by)
    clear_for_promotion(decision, asked_by=by)
    decision.refresh_from_db()
    return decision


def test_a_version_that_is_better_passes_by_default(run: EvaluationRun) -> None:
    verdict = verdict_of(opened(run))
    assert verdict.state == "passes"
    assert [one.state for one in verdict.outcomes] == ["passes", "not applicable", "passes"]


def test_a_version_that_is_worse_than_the_base_is_refused(in_tenant: Tenant, make_evaluation: MakeEvaluation) -> None:
    def bad(row: dict[str, object], model: str) -> str:
        return good_adapter(row, "v1" if model == "base" else "base")

    worse = make_evaluation(in_tenant, rows=30, respond=bad)
    with pytest.raises(Conflict, match="does not pass") as refused:
        promoted(worse.version)
    assert refused.value.code == "gate:refused"
    decision = Decision.objects.get()
    assert decision.is_open
    assert refused.value.extra["url"] == f"/evaluations/decisions/{decision.id}/"


def test_a_promotion_opens_and_closes_a_decision_by_itself(run: EvaluationRun, alice: User) -> None:
    decision = promoted(run.version, alice)
    assert (decision.state, decision.is_automatic, decision.closed_by) == (DecisionState.PROMOTED, True, alice)
    assert promoted(run.version).id == decision.id


def test_newer_evidence_replaces_a_decision_that_a_promotion_opened(
    in_tenant: Tenant, make_evaluation: MakeEvaluation
) -> None:
    worse = make_evaluation(in_tenant, rows=30, respond=lambda row, model: "x" if model != "base" else "SHELF 1 row 1")
    with pytest.raises(Conflict):
        promoted(worse.version)
    make_evaluation(in_tenant, version=worse.version)
    assert promoted(worse.version).number == 2
    assert Decision.objects.get(number=1).state == DecisionState.REPLACED


def test_a_policy_of_its_own_asks_for_a_decision(run: EvaluationRun) -> None:
    policy_for(run, STRICT)
    with pytest.raises(Conflict, match="asks for a decision") as refused:
        promoted(run.version)
    assert refused.value.code == "gate:no_decision"


def test_a_policy_counts_for_decisions_opened_from_then_on(run: EvaluationRun) -> None:
    decision = opened(run)
    policy_for(run, STRICT)
    assert len(verdict_of(decision).outcomes) == len(DEFAULT.conditions)
    reject(decision=decision, reason="Later.", closed_by=None)
    assert verdict_of(opened(run)).state == "undecided"


def test_one_decision_is_open_at_a_time(run: EvaluationRun) -> None:
    opened(run)
    with pytest.raises(Conflict, match="already open"):
        opened(run)


def test_approvals_count_but_never_of_who_trained_it(run: EvaluationRun, alice: User, bob: User, rita: User) -> None:
    policy_for(run, STRICT)
    training = run.version.run
    training.created_by = alice
    training.save(update_fields=["created_by"])
    decision = opened(run)
    with pytest.raises(Conflict, match="somebody else"):
        approve(decision=decision, person=alice)
    approve(decision=decision, person=bob)
    approve(decision=decision, person=bob)
    assert verdict_of(decision).outcomes[1].shown == "1 of 2: Bob"
    approve(decision=decision, person=rita)
    assert verdict_of(decision).state == "passes"
    withdraw_approval(decision=decision, person=rita)
    assert verdict_of(decision).state == "undecided"


def test_an_override_needs_a_reason_and_is_audited(run: EvaluationRun, alice: User) -> None:
    policy_for(run, STRICT)
    decision = opened(run)
    with pytest.raises(PortalError, match="reason"):
        override(decision=decision, reason="  ", closed_by=alice)
    override(decision=decision, reason="The customer waits.", closed_by=alice)
    assert promoted(run.version).state == DecisionState.OVERRIDDEN
    event = AuditEvent.objects.get(action="decision.overridden")
    assert event.after["reason"] == "The customer waits."
    assert event.after["verdict"] == "undecided"
    assert not verify_trail(run.tenant).problems


def test_a_policy_may_forbid_overriding(run: EvaluationRun) -> None:
    policy_for(run, {**STRICT, "may_override": False})
    with pytest.raises(Conflict, match="does not allow"):
        override(decision=opened(run), reason="Please.", closed_by=None)


def test_a_rejected_version_is_not_promoted(run: EvaluationRun, alice: User) -> None:
    reject(decision=opened(run), reason="Two dates are missing.", closed_by=alice)
    with pytest.raises(Conflict, match="rejected by Alice: Two dates are missing") as refused:
        promoted(run.version)
    assert refused.value.code == "gate:rejected"


def test_a_closed_decision_never_changes(run: EvaluationRun, bob: User) -> None:
    decision = promoted(run.version)
    before = verdict_of(decision)
    run.items.update(prompt_sha256="another")
    decision.refresh_from_db()
    assert verdict_of(decision) == before
    assert computed(decision) != before
    for write in (
        lambda: approve(decision=decision, person=bob),
        lambda: reject(decision=decision, reason="No.", closed_by=None),
        lambda: override(decision=decision, reason="Yes.", closed_by=None),
    ):
        with pytest.raises(Conflict, match="closed"):
            write()


def test_rest_opens_reads_approves_and_rejects(run: EvaluationRun, api: APIClient, as_bob: Client) -> None:
    made = api.post("/api/v1/decisions/", {"version": str(run.version_id)}, format="json")
    assert made.status_code == 201
    found = made.json()
    assert found["verdict"]["state"] == "passes"
    address = f"/api/v1/decisions/{found['id']}/"
    assert api.get(address).json()["verdict"] == found["verdict"]
    assert api.post(f"{address}approve/").status_code == 403
    approved = as_bob.post(f"{address}approve/", {"comment": "Fine."}, content_type="application/json")
    assert [one["person"] for one in approved.json()["approvals"]] == ["bob@example.com"]
    assert as_bob.delete(f"{address}approve/").json()["approvals"] == []
    assert as_bob.post(f"{address}override/", {"reason": "x"}, content_type="application/json").status_code == 403
    rejected = as_bob.post(f"{address}reject/", {"reason": "Not yet."}, content_type="application/json")
    assert rejected.json()["state"] == "rejected"


def test_rest_sets_policies_for_owners_only(run: EvaluationRun, as_alice: Client, as_bob: Client) -> None:
    body = {"adapter": str(run.version.adapter_id), "document": STRICT}
    assert as_bob.post("/api/v1/gate-policies/", body, content_type="application/json").status_code == 403
    made = as_alice.post("/api/v1/gate-policies/", body, content_type="application/json")
    assert (made.status_code, made.json()["number"]) == (201, 1)
    wrong = as_alice.post(
        "/api/v1/gate-policies/", {**body, "document": {"conditions": []}}, content_type="application/json"
    )
    assert (wrong.status_code, wrong.json()["code"]) == (400, "policy:wrong_document")


def test_others_see_nothing(run: EvaluationRun, other_api: APIClient, as_charlie: Client, as_rita: Client) -> None:
    decision = opened(run)
    assert other_api.get("/api/v1/decisions/").json()["results"] == []
    for part in ("", "pack/"):
        assert other_api.get(f"/api/v1/decisions/{decision.id}/{part}").status_code == 404
        assert as_charlie.get(f"/evaluations/decisions/{decision.id}/{part}").status_code == 404
        assert as_rita.get(f"/evaluations/decisions/{decision.id}/{part}").status_code == 403
        assert as_rita.get(f"/api/v1/decisions/{decision.id}/{part}").status_code == 403


def test_pages_in_every_state(run: EvaluationRun, as_alice: Client, as_bob: Client, alice: User) -> None:
    policy_for(run, STRICT)
    decide = f"/evaluations/versions/{run.version_id}/decide/"
    assert "Open decision" in as_alice.get(decide).content.decode()
    response = as_alice.post(decide, {"evaluation": str(run.id), "leaves_out_leaks": "on"})
    page = response.headers["Location"]
    shown = as_bob.get(page).content.decode()
    assert "Undecided" in shown
    assert "0 of 2" in shown
    assert "Override verdict" not in shown
    assert "Override verdict" in as_alice.get(page).content.decode()
    assert as_bob.post(f"{page}approve/").status_code == 302
    assert "1 of 2: Bob" in as_bob.get(page).content.decode()
    assert as_bob.post(f"{page}override/", {"reason": "x"}).status_code == 403
    as_alice.post(f"{page}override/", {"reason": "It is urgent."})
    closed = as_alice.get(page).content.decode()
    assert "Overridden by Alice" in closed
    assert "It is urgent." in closed
    assert "See verdict" in as_alice.get(f"/evaluations/{run.id}/").content.decode()
    assert "Overridden" in as_alice.get(f"/adapters/versions/{run.version_id}/").content.decode()


def test_the_policy_page(run: EvaluationRun, as_alice: Client, as_bob: Client) -> None:
    address = f"/evaluations/policies/{run.version.adapter_id}/"
    assert "rouge_l" in as_bob.get(address).content.decode()
    text = "conditions:\n  - {kind: approvals, people: 3}\n"
    as_bob.post(address, {"document": text})
    assert "rouge_l" in as_bob.get(f"{address}export/").content.decode()
    assert "not one" not in as_alice.post(address, {"document": text}).headers["Location"]
    assert "people: 3" in as_bob.get(f"{address}export/").content.decode()
    refused = as_alice.post(address, {"document": "conditions: [{kind: luck}]"}).content.decode()
    assert "is one of" in refused
