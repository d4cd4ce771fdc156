"""Canaries and A/B tests from their start to their end."""

from collections.abc import Callable

import pytest

from adapters.models import AdapterVersion
from jobs.services import stop_job
from jobs.states import State
from rest.errors import Conflict, PortalError
from serving.endpoints.reconciler import reconcile
from serving.models import Deployment, DeploymentState, Promotion, Route, TrialState
from serving.promotions.services import promote_version, roll_back, try_version
from serving.trials.services import TrialPlan, end_trial
from tenants.models import AuditEvent
from tests.serving.memory_endpoint import MemoryEndpoint
from tests.serving.trials.conftest import let_time_pass, saw, step, until_tried

pytestmark = pytest.mark.django_db
Versions = tuple[AdapterVersion, AdapterVersion]
PLAN = TrialPlan(percent=10, minutes=60)


def canary(version: AdapterVersion) -> Promotion:
    return promote_version(tenant=version.tenant, version=version, created_by=None, canary=PLAN)


def live() -> AdapterVersion:
    return AdapterVersion.objects.get(id=Route.objects.get(alias="legal").active.version_id)


def test_a_canary_without_harm_goes_live(versions: Versions) -> None:
    first, second = versions
    promotion = canary(second)
    trial = until_tried()
    assert (trial.share, trial.state, trial.live.version, trial.candidate.version) == (0.1, "running", first, second)
    assert trial.window.total_seconds() == 600
    saw(trial, candidate=(40, 1), live=(360, 4))
    step()
    promotion.job.refresh_from_db()
    assert (promotion.job.state, promotion.job.phase, live()) == (State.RUNNING, "trying on callers", first)
    assert promotion.job.eta_seconds > 3000
    let_time_pass(trial)
    step()
    trial.refresh_from_db()
    promotion.job.refresh_from_db()
    assert (trial.state, promotion.job.state, live()) == (TrialState.PASSED, State.SUCCEEDED, second)
    assert trial.figures["candidate"]["callers"] == 40
    assert promotion.job.result["canary"]["callers"] == 40


def test_a_canary_that_harms_is_halted_and_the_live_version_stays(memory: MemoryEndpoint, versions: Versions) -> None:
    first, second = versions
    promotion = canary(second)
    trial = until_tried()
    saw(trial, candidate=(100, 12), live=(900, 28))
    step()
    trial.refresh_from_db()
    promotion.job.refresh_from_db()
    assert (trial.state, promotion.job.state, live()) == (TrialState.HALTED, State.FAILED, first)
    assert trial.figures["errors"] == pytest.approx(92.681730)
    assert promotion.job.error_code == "trial:halted"
    assert "v2 had errors more often (12.0% against 3.1%)" in promotion.job.error_text
    trial.candidate.refresh_from_db()
    # What it was asked in the last second, it still answers; then it is taken off.
    assert trial.candidate.state == DeploymentState.DRAINING
    Deployment.objects.filter(id=trial.candidate_id).update(drain_until=trial.created_at)
    reconcile()
    assert set(memory.held) == {trial.live.name}
    events = AuditEvent.objects.filter(action__startswith="trial.").values_list("action", flat=True)
    assert sorted(events) == ["trial.ended", "trial.started"]


def test_a_canary_can_be_stopped(versions: Versions) -> None:
    first, second = versions
    promotion = canary(second)
    trial = until_tried()
    stop_job(job_id=promotion.job.id)
    step()
    trial.refresh_from_db()
    promotion.job.refresh_from_db()
    assert (trial.state, promotion.job.state, live()) == (TrialState.STOPPED, State.STOPPED, first)


def test_the_first_version_has_nothing_to_be_compared_with(
    memory: MemoryEndpoint, unasked: None, make_version: Callable[..., AdapterVersion], versions: Versions
) -> None:
    other = make_version(versions[0].tenant, "contracts", 3)
    promotion = canary(other)
    for _ in range(5):
        step()
    promotion.job.refresh_from_db()
    assert promotion.job.state == State.SUCCEEDED
    assert "canary" not in promotion.job.result
    with pytest.raises(Conflict) as refused:
        try_version(tenant=other.tenant, version=other, plan=PLAN, created_by=None)
    assert refused.value.code == "trial:nothing_live"


def test_a_rollback_does_not_wait_for_a_canary(
    memory: MemoryEndpoint, versions: Versions, make_version: Callable[..., AdapterVersion]
) -> None:
    first, second = versions
    promote_version(tenant=first.tenant, version=second, created_by=None)
    for _ in range(5):
        step()
    assert live() == second
    promotion = canary(make_version(first.tenant, "legal", 3))
    trial = until_tried()
    roll_back(tenant=first.tenant, route=Route.objects.get(alias="legal"), created_by=None)
    assert live() == first
    trial.refresh_from_db()
    assert trial.state == TrialState.STOPPED
    step()
    promotion.job.refresh_from_db()
    assert (promotion.job.error_code, live()) == ("trial:stopped", first)


def test_an_a_b_test_switches_nothing(versions: Versions) -> None:
    first, second = versions
    job = try_version(tenant=first.tenant, version=second, plan=TrialPlan(percent=50, minutes=600), created_by=None)
    trial = until_tried()
    saw(trial, candidate=(200, 2), live=(200, 3))
    for refused in (
        lambda: try_version(tenant=first.tenant, version=second, plan=PLAN, created_by=None),
        lambda: promote_version(tenant=first.tenant, version=second, created_by=None),
    ):
        with pytest.raises(Conflict) as error:
            refused()
        assert error.value.code == "trial:running"
    let_time_pass(trial)
    step()
    trial.refresh_from_db()
    job.refresh_from_db()
    assert (trial.state, job.state, live()) == (TrialState.PASSED, State.SUCCEEDED, first)
    assert trial.figures["difference"][0] < 0 < trial.figures["difference"][1]
    # It stays as long as a replaced version, because it may be promoted now.
    assert trial.candidate.state == DeploymentState.DRAINING
    promote_version(tenant=first.tenant, version=second, created_by=None)
    for _ in range(5):
        step()
    assert live() == second


def test_a_trial_ends_once(versions: Versions) -> None:
    canary(versions[1])
    trial = until_tried()
    assert end_trial(trial, TrialState.HALTED)
    assert not end_trial(trial, TrialState.PASSED)
    trial.refresh_from_db()
    assert trial.state == TrialState.HALTED


def test_a_trial_that_never_began_leaves_nothing_on_the_endpoint(memory: MemoryEndpoint, versions: Versions) -> None:
    job = try_version(tenant=versions[0].tenant, version=versions[1], plan=PLAN, created_by=None)
    memory.away = True
    step()
    stop_job(job_id=job.id)
    step()
    job.refresh_from_db()
    assert job.state == State.STOPPED
    memory.away = False
    reconcile()
    assert set(memory.held) == {Route.objects.get(alias="legal").active.name}


@pytest.mark.parametrize(("percent", "minutes", "field"), [(0, 60, "percent"), (51, 60, "percent"), (10, 0, "minutes")])
def test_a_plan_within_limits(percent: int, minutes: int, field: str) -> None:
    with pytest.raises(PortalError) as refused:
        TrialPlan(percent=percent, minutes=minutes)
    assert refused.value.field == field
