"""Decisions that rest on experts' reviews."""

from collections.abc import Callable

import pytest

from evaluations.gates.policies import read_policy
from evaluations.gates.services import attach_round, open_decision, reject, set_policy
from evaluations.gates.verdicts import computed, verdict_of
from evaluations.models import Choice, Decision, EvaluationRun, RoundShape, Turn, TurnState
from evaluations.reviews.queue.given import Given
from evaluations.reviews.queue.services import record_review
from lorakit.gates.outcome import Outcome
from rest.errors import Conflict, PortalError
from tenants.models import Tenant, User
from tests.evaluations.gates.rounds import grade_next, make_round, take_back
from tests.evaluations.reviews.rounds import hand_out

MakeEvaluation = Callable[..., EvaluationRun]
pytestmark = pytest.mark.django_db

EXPERTS = {"conditions": [{"kind": "experts", "verdict": "pass", "threshold": 0.7}]}


@pytest.fixture
def run(in_tenant: Tenant, make_evaluation: MakeEvaluation) -> EvaluationRun:
    run = make_evaluation(in_tenant, rows=40)
    set_policy(tenant=in_tenant, adapter=run.version.adapter, policy=read_policy(EXPERTS), set_by=None)
    return run


def opened(run: EvaluationRun, **extra: object) -> Decision:
    return open_decision(tenant=run.tenant, version=run.version, run=run, opened_by=None, **extra)  # type: ignore[arg-type]


def experts(decision: Decision) -> Outcome:
    return verdict_of(decision).outcomes[0]


def test_reviews_decide_and_say_how_many_are_missing(run: EvaluationRun, rita: User) -> None:
    found = make_round(run, [rita])
    decision = opened(run)
    assert decision.round == found
    grade_next(found, rita, 5.0, count=12)
    outcome = experts(decision)
    assert (outcome.state, outcome.detail["reviewed"]) == ("undecided", 12)
    assert outcome.outlook is not None
    assert outcome.outlook.median is not None
    assert outcome.outlook.hours == pytest.approx(outcome.outlook.median * 30 / 3600)
    grade_next(found, rita, 5.0)
    assert experts(decision).state == "passes"


def test_a_review_taken_back_recomputes_all(run: EvaluationRun, rita: User) -> None:
    found = make_round(run, [rita])
    decision = opened(run)
    reviews = grade_next(found, rita, 5.0, count=13)
    assert experts(decision).state == "passes"
    take_back(reviews[4])
    outcome = experts(decision)
    assert (outcome.state, outcome.detail["reviewed"], outcome.detail["waiting"]) == ("undecided", 4, 36)


def test_a_later_review_waits_for_earlier_ones(run: EvaluationRun, rita: User) -> None:
    found = make_round(run, [rita])
    decision = opened(run)
    first = found.items.get(position=1)
    found.items.filter(id=first.id).update(is_decided=True)
    grade_next(found, rita, 5.0, count=20)
    assert experts(decision).detail["reviewed"] == 0
    found.items.filter(id=first.id).update(is_decided=False)
    Turn.objects.create(
        tenant=run.tenant, round_item=first, reviewer=rita, state=TurnState.SKIPPED, expires_at=found.created_at
    )
    outcome = experts(decision)
    assert (outcome.state, outcome.detail["skipped"]) == ("passes", 1)


def test_looking_after_every_review_never_changes_the_verdict(run: EvaluationRun, rita: User) -> None:
    found = make_round(run, [rita])
    decision = opened(run)
    states = []
    for _ in range(16):
        grade_next(found, rita, 5.0)
        states.append(experts(decision).state)
        assert computed(decision) == verdict_of(decision)
    assert states == ["undecided"] * 12 + ["passes"] * 4
    assert [item.position for item in found.items.order_by("reviews__created_at")[:16]] == list(range(1, 17))
    assert experts(decision).detail["reviewed"] == 13


def test_a_policy_made_after_the_first_review_proves_nothing(run: EvaluationRun, rita: User) -> None:
    found = make_round(run, [rita])
    grade_next(found, rita, 5.0)
    lower = {"conditions": [{"kind": "experts", "verdict": "pass", "threshold": 0.5}]}
    set_policy(tenant=run.tenant, adapter=run.version.adapter, policy=read_policy(lower), set_by=None)
    with pytest.raises(Conflict, match="before the policy was changed"):
        opened(run)


def test_a_round_may_be_chosen_later_but_only_once(run: EvaluationRun, rita: User) -> None:
    decision = opened(run)
    assert experts(decision).why == "Start a review round: experts’ verdicts are needed."
    first, second = make_round(run, [rita]), make_round(run, [rita])
    assert attach_round(decision=decision, found=first).round == first
    assert attach_round(decision=decision, found=first).round == first
    with pytest.raises(Conflict, match="already"):
        attach_round(decision=decision, found=second)


def test_a_decision_by_another_round_is_another_attempt(run: EvaluationRun, rita: User) -> None:
    first = make_round(run, [rita])
    reject(decision=opened(run), reason="Once more.", closed_by=None)
    assert opened(run).attempt == 1
    reject(decision=Decision.objects.get(state="open"), reason="Once more.", closed_by=None)
    second = make_round(run, [rita])
    decision = opened(run)
    assert (decision.round, decision.attempt) == (second, 2)
    grade_next(second, rita, 5.0, count=13)
    assert experts(decision).state == "undecided"
    assert experts(decision).detail["decisive"] == 120.0
    assert first != second


def test_rounds_of_other_evaluations_are_refused(
    run: EvaluationRun, rita: User, in_tenant: Tenant, make_evaluation: MakeEvaluation
) -> None:
    other = make_evaluation(in_tenant, version=run.version)
    with pytest.raises(PortalError, match="about other answers"):
        opened(run, found_round=make_round(other, [rita]))


def test_pairs(run: EvaluationRun, rita: User) -> None:
    wins = {"conditions": [{"kind": "experts", "verdict": "pair"}, {"kind": "severe_losses", "at_most": 0.3}]}
    set_policy(tenant=run.tenant, adapter=run.version.adapter, policy=read_policy(wins), set_by=None)
    found = make_round(run, [rita], shape=RoundShape.PAIR)
    decision = opened(run)
    grade_next(found, rita, Choice.CANDIDATE, count=14)
    grade_next(found, rita, Choice.TIE, count=6)
    assert [one.state for one in verdict_of(decision).outcomes] == ["passes", "passes"]


def test_two_reviewers_give_a_median_and_an_agreement(run: EvaluationRun, rita: User, bob: User) -> None:
    policy = {**EXPERTS, "conditions": [*EXPERTS["conditions"], {"kind": "agreement", "at_least": 0.5}]}
    set_policy(tenant=run.tenant, adapter=run.version.adapter, policy=read_policy(policy), set_by=None)
    found = make_round(run, [rita, bob], per_item=2)
    decision = opened(run)
    for number in range(16):
        grade_next(found, rita, 5.0 if number % 8 else 4.0)
        grade_next(found, bob, 5.0 if number % 8 else 4.0)
    outcomes = verdict_of(decision).outcomes
    assert [one.state for one in outcomes] == ["passes", "passes"]


def test_what_was_decided_on_takes_no_more_grades(run: EvaluationRun, rita: User) -> None:
    found = make_round(run, [rita])
    decision = opened(run)
    grade_next(found, rita, 5.0, count=3)
    reject(decision=decision, reason="It is too slow.", closed_by=None)
    item = found.items.filter(is_decided=False)[0]
    hand_out([item], rita)
    with pytest.raises(Conflict, match="closed"):
        record_review(item=item, reviewer=rita, given=Given(grade=1))
