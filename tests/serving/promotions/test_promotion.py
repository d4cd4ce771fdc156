"""A promotion puts a version on the endpoint, checks it and switches the alias; nothing else does."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone

from adapters.models import AdapterVersion, BaseModel
from jobs.engine.reconciler import jobs_to_step
from jobs.engine.steps import step_job
from jobs.models import Job
from jobs.services import stop_job
from jobs.states import State
from rest.errors import Conflict
from serving.backends.base import Status
from serving.backends.vllm import VllmEndpoint
from serving.models import Deployment, DeploymentState, Endpoint, Promotion, Route
from serving.promotions.services import promote_version
from tenants.models import Tenant, User
from tests.serving.memory_endpoint import MemoryEndpoint

MakeVersion = Callable[..., AdapterVersion]
pytestmark = pytest.mark.django_db


def promote(version: AdapterVersion, by: User | None = None) -> Promotion:
    return promote_version(tenant=version.tenant, version=version, created_by=by)


@pytest.fixture
def unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the endpoint is in memory nobody can be asked, so there are no known answers."""
    monkeypatch.setattr("serving.endpoints.loading.known_answers", lambda version, limit: [])


def test_the_real_line_from_version_to_route(
    vllm: VllmEndpoint,
    in_tenant: Tenant,
    make_version: MakeVersion,
    true_answers: Callable[[int], tuple[tuple[str, str], ...]],
    run_jobs: Callable[..., None],
    alice: User,
) -> None:
    version = make_version(in_tenant, "legal", 1, answers=true_answers(1))
    promotion = promote(version, alice)
    run_jobs()
    promotion.refresh_from_db()
    assert promotion.job.state == State.SUCCEEDED, promotion.job.error_text
    assert promotion.fingerprint == {"asked": 3, "matched": 3}
    route = Route.objects.get(alias="legal")
    assert route.active.version == version
    assert route.active.name == f"{in_tenant.id.hex[:20]}-{version.package_sha256[:24]}"
    assert route.previous is None
    assert set(vllm.list()) == {route.active.name}


def test_other_weights_than_evaluated_are_not_switched_to(
    vllm: VllmEndpoint,
    in_tenant: Tenant,
    make_version: MakeVersion,
    true_answers: Callable[[int], tuple[tuple[str, str], ...]],
    run_jobs: Callable[..., None],
) -> None:
    version = make_version(in_tenant, "legal", 1, answers=true_answers(2))
    promotion = promote(version)
    run_jobs()
    promotion.refresh_from_db()
    assert promotion.job.error_code == "promotion:fingerprint_mismatch"
    assert "0 of 3" in promotion.job.error_text
    assert promotion.deployment.state == DeploymentState.FAILED
    assert not Route.objects.exclude(active=None).exists()


def test_the_first_deployment_drains_when_the_second_takes_over(
    memory: MemoryEndpoint, unasked: None, in_tenant: Tenant, make_version: MakeVersion, run_jobs: Callable[..., None]
) -> None:
    first, second = make_version(in_tenant, "legal", 1), make_version(in_tenant, "legal", 2)
    promote(first)
    run_jobs()
    promote(second)
    run_jobs()
    route = Route.objects.get(alias="legal")
    assert (route.active.version, route.previous.version) == (second, first)
    assert route.previous.state == DeploymentState.DRAINING
    assert route.previous.drain_until > route.switched_at
    assert len(memory.held) == 2


def test_promoting_what_is_active_succeeds_at_once(
    memory: MemoryEndpoint, unasked: None, in_tenant: Tenant, make_version: MakeVersion, run_jobs: Callable[..., None]
) -> None:
    version = make_version(in_tenant, "legal", 1)
    promote(version)
    run_jobs()
    switched_at = Route.objects.get().switched_at
    again = promote(version)
    run_jobs()
    again.refresh_from_db()
    assert again.job.result == {"already_active": True}
    assert Route.objects.get().switched_at == switched_at
    assert Deployment.objects.count() == 1


def test_it_waits_while_the_deployment_is_created(
    memory: MemoryEndpoint, unasked: None, in_tenant: Tenant, make_version: MakeVersion, run_jobs: Callable[..., None]
) -> None:
    memory.next_status = Status.CREATING
    promotion = promote(make_version(in_tenant, "legal", 1))
    [job_id] = jobs_to_step()
    step_job(job_id)
    job = Job.objects.get(id=job_id)
    assert (job.state, job.phase) == (State.RUNNING, "deploying")
    memory.held = {name: (package, Status.IN_SERVICE) for name, (package, _) in memory.held.items()}
    run_jobs()
    promotion.refresh_from_db()
    assert promotion.deployment.state == DeploymentState.IN_SERVICE


def test_a_deployment_that_fails_ends_the_promotion(
    memory: MemoryEndpoint, unasked: None, in_tenant: Tenant, make_version: MakeVersion, run_jobs: Callable[..., None]
) -> None:
    memory.next_status = Status.FAILED
    promotion = promote(make_version(in_tenant, "legal", 1))
    run_jobs()
    promotion.refresh_from_db()
    assert promotion.job.error_code == "promotion:deployment_failed"
    assert promotion.deployment.state == DeploymentState.FAILED


def test_an_endpoint_that_is_away_is_waited_for(
    memory: MemoryEndpoint, unasked: None, in_tenant: Tenant, make_version: MakeVersion, run_jobs: Callable[..., None]
) -> None:
    memory.away = True
    promotion = promote(make_version(in_tenant, "legal", 1))
    [job_id] = jobs_to_step()
    step_job(job_id)
    job = Job.objects.get(id=job_id)
    assert (job.state, job.phase, job.attempt) == (State.RUNNING, "retrying", 2)
    memory.away = False
    run_jobs()
    promotion.refresh_from_db()
    assert promotion.job.state == State.SUCCEEDED


def test_a_stopped_promotion_switches_nothing(
    memory: MemoryEndpoint, unasked: None, in_tenant: Tenant, make_version: MakeVersion, run_jobs: Callable[..., None]
) -> None:
    memory.next_status = Status.CREATING
    promotion = promote(make_version(in_tenant, "legal", 1))
    [job_id] = jobs_to_step()
    step_job(job_id)
    stop_job(job_id=job_id)
    run_jobs()
    promotion.refresh_from_db()
    assert promotion.job.state == State.STOPPED
    assert promotion.deployment.state == DeploymentState.DELETED
    assert not Route.objects.exists()


def test_what_loads_for_long_says_so_and_is_given_up_at_last(
    memory: MemoryEndpoint, unasked: None, in_tenant: Tenant, make_version: MakeVersion, run_jobs: Callable[..., None]
) -> None:
    memory.next_status = Status.CREATING
    promotion = promote(make_version(in_tenant, "legal", 1))
    [job_id] = jobs_to_step()
    step_job(job_id)
    assert Job.objects.get(id=job_id).error_text == ""
    for waited, state, words in (
        (dt.timedelta(minutes=5, seconds=1), State.RUNNING, "has been loading the adapter for 5 minutes. You can wait"),
        (dt.timedelta(minutes=61), State.FAILED, "has been loading the adapter for 61 minutes. Nothing was switched."),
    ):
        Deployment.objects.update(created_at=timezone.now() - waited)
        Job.objects.update(due_at=timezone.now() - dt.timedelta(hours=1))
        step_job(job_id)
        job = Job.objects.get(id=job_id)
        assert (job.state, words in job.error_text) == (state, True), job.error_text
    promotion.refresh_from_db()
    assert promotion.deployment.state == DeploymentState.FAILED


def test_a_version_without_evaluation_is_refused(
    memory: MemoryEndpoint, in_tenant: Tenant, make_version: MakeVersion
) -> None:
    with pytest.raises(Conflict, match="not been evaluated") as refused:
        promote(make_version(in_tenant, "legal", 1, answers=None))
    assert refused.value.code == "promotion:not_evaluated"
    assert not Promotion.objects.exists()


def test_a_version_above_the_endpoints_rank_is_refused_before_it_is_put_there(
    memory: MemoryEndpoint, in_tenant: Tenant, make_version: MakeVersion
) -> None:
    version = make_version(in_tenant, "legal", 1)
    memory.max_rank = version.rank - 1
    with pytest.raises(Conflict, match="has rank 4") as refused:
        promote(version)
    assert refused.value.code == "promotion:rank_too_high"
    assert not Promotion.objects.exists()
    memory.max_rank = version.rank
    promote(version)


def test_a_second_promotion_of_the_same_adapter_is_refused(
    memory: MemoryEndpoint, in_tenant: Tenant, make_version: MakeVersion
) -> None:
    first, second = make_version(in_tenant, "legal", 1), make_version(in_tenant, "legal", 2)
    other = make_version(in_tenant, "support", 3)
    promote(first)
    with pytest.raises(Conflict) as refused:
        promote(second)
    assert refused.value.code == "promotion:running"
    assert promote(other).job.state == State.QUEUED


def test_a_base_models_name_is_no_alias(memory: MemoryEndpoint, in_tenant: Tenant, make_version: MakeVersion) -> None:
    with pytest.raises(Conflict) as refused:
        promote(make_version(in_tenant, "tiny-llama", 1))
    assert refused.value.code == "promotion:name_taken"


def test_a_base_without_endpoint_is_told(
    memory: MemoryEndpoint, endpoint: Endpoint, in_tenant: Tenant, make_version: MakeVersion
) -> None:
    version = make_version(in_tenant, "legal", 1)
    endpoint.base_model = BaseModel.objects.create(name="other", title="Other", location="nowhere")
    endpoint.save()
    with pytest.raises(Conflict, match="No endpoint serves") as refused:
        promote(version)
    assert refused.value.code == "promotion:no_endpoint"
