"""A tenant moves from one endpoint to another: what was live stays live, and nothing is left behind."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone

from adapters.models import AdapterVersion
from jobs.engine.reconciler import jobs_to_step
from jobs.engine.steps import step_job
from jobs.models import Job
from jobs.services import stop_job
from jobs.states import State
from rest.errors import Conflict
from serving.backends.base import Status
from serving.endpoints.queries import place_of, places
from serving.endpoints.reconciler import reconcile
from serving.endpoints.services import delete_endpoint, make_default
from serving.models import Deployment, DeploymentState, Endpoint, EndpointState, Placement, Route
from serving.moves.services import move_tenant
from serving.promotions.services import promote_version, roll_back
from serving.trials.services import TrialPlan
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.serving.memory_endpoint import MemoryEndpoint

pytestmark = pytest.mark.django_db
MakeVersion = Callable[..., AdapterVersion]
RunJobs = Callable[..., None]


@pytest.fixture(autouse=True)
def _no_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.endpoints.loading.known_answers", lambda version, limit: [])


@pytest.fixture
def route(memory: MemoryEndpoint, in_tenant: Tenant, make_version: MakeVersion, run_jobs: RunJobs) -> Route:
    """v1 promoted, then v2."""
    for seed in (1, 2):
        promote_version(tenant=in_tenant, version=make_version(in_tenant, "legal", seed), created_by=None)
        run_jobs()
    return Route.objects.get(alias="legal")


@pytest.fixture
def step_jobs() -> Callable[[], None]:
    """Step each job once that is not at its end."""

    def step() -> None:
        Job.objects.active().update(due_at=timezone.now() - dt.timedelta(hours=1))
        for job_id in jobs_to_step():
            step_job(job_id)

    return step


def let_drains_end() -> None:
    draining = Deployment.objects.filter(state=DeploymentState.DRAINING)
    draining.update(drain_until=timezone.now() - dt.timedelta(seconds=1))


def test_versions_keep_their_standing_on_the_other_endpoint(
    route: Route, tenant: Tenant, other: Endpoint, memory: MemoryEndpoint, other_memory: MemoryEndpoint,
    run_jobs: RunJobs,
) -> None:  # fmt: skip
    job = move_tenant(tenant=tenant, to=other)
    run_jobs()
    job.refresh_from_db()
    assert (job.state, job.result) == (State.SUCCEEDED, {"endpoint": "other"})
    moved = Route.objects.select_related("active__version", "previous__version").get(id=route.id)
    assert (moved.active.endpoint, moved.previous.endpoint) == (other, other)
    assert (moved.active.version.number, moved.previous.version.number) == (2, 1)
    assert (moved.active.state, moved.previous.state) == (DeploymentState.IN_SERVICE, DeploymentState.DRAINING)
    assert moved.previous.drain_until == route.previous.drain_until
    assert moved.switched_at == route.switched_at, "customers see no new version"
    assert set(memory.held) == set(other_memory.held), "the old ones still answer"
    assert set(places()) == {other}

    roll_back(tenant=tenant, route=moved, created_by=None)
    moved.refresh_from_db()
    assert (moved.active.version.number, moved.active.endpoint) == (1, other)

    let_drains_end()
    reconcile()
    assert memory.held == {}
    assert set(other_memory.held) == {moved.active.name}


def test_a_place_is_taken_by_the_first_promotion_and_kept(
    memory: MemoryEndpoint, in_tenant: Tenant, other_tenant: Tenant, other: Endpoint, endpoint: Endpoint,
    make_version: MakeVersion, run_jobs: RunJobs,
) -> None:  # fmt: skip
    base = endpoint.base_model_id
    assert place_of(base) == endpoint
    assert not Placement.objects.exists(), "asking takes no place"
    promote_version(tenant=in_tenant, version=make_version(in_tenant, "legal", 1), created_by=None)
    run_jobs()
    make_default(endpoint=other)
    assert place_of(base) == endpoint
    with tenant_scope(other_tenant.id):
        assert place_of(base) == other
        assert set(places()) == {other}


def test_a_failed_fingerprint_leaves_it_where_it_was(
    route: Route, tenant: Tenant, other: Endpoint, other_memory: MemoryEndpoint, run_jobs: RunJobs,
) -> None:  # fmt: skip
    other_memory.next_status = Status.FAILED
    job = move_tenant(tenant=tenant, to=other)
    run_jobs()
    job.refresh_from_db()
    assert (job.state, job.error_code) == (State.FAILED, "promotion:deployment_failed")
    before = route.active
    route.refresh_from_db()
    assert route.active == before
    reconcile()
    assert other_memory.held == {}, "nothing is left there"


def test_a_move_back_before_it_ended_takes_the_old_ones_again(
    route: Route, tenant: Tenant, endpoint: Endpoint, other: Endpoint, run_jobs: RunJobs
) -> None:
    first = move_tenant(tenant=tenant, to=other)
    back = move_tenant(tenant=tenant, to=endpoint)
    run_jobs()
    first.refresh_from_db()
    assert first.state == State.STOPPED
    assert Job.objects.get(id=back.id).state == State.SUCCEEDED
    active = route.active
    route.refresh_from_db()
    assert route.active == active
    move_tenant(tenant=tenant, to=other)
    run_jobs()
    move_tenant(tenant=tenant, to=endpoint)
    run_jobs()
    route.refresh_from_db()
    assert (route.active, route.active.state) == (active, DeploymentState.IN_SERVICE)


def test_a_move_waits_for_a_canary_and_takes_along_what_it_made_live(
    route: Route, tenant: Tenant, other: Endpoint, other_memory: MemoryEndpoint, in_tenant: Tenant,
    make_version: MakeVersion, step_jobs: Callable[[], None], run_jobs: RunJobs,
) -> None:  # fmt: skip
    third = make_version(in_tenant, "legal", 3)
    promotion = promote_version(tenant=tenant, version=third, created_by=None, canary=TrialPlan(percent=10, minutes=60))
    step_jobs()
    job = move_tenant(tenant=tenant, to=other)
    step_jobs()
    job.refresh_from_db()
    assert (job.state, job.phase) == (State.RUNNING, "waiting for a promotion or trial to end")
    assert other_memory.held == {}
    stop_job(job_id=promotion.job.id)
    run_jobs()
    route.refresh_from_db()
    assert (route.active.endpoint, route.active.version.number) == (other, 2)


def test_what_was_scheduled_before_goes_to_the_new_place(
    route: Route, tenant: Tenant, other: Endpoint, in_tenant: Tenant, make_version: MakeVersion, run_jobs: RunJobs,
    step_jobs: Callable[[], None],
) -> None:  # fmt: skip
    third = make_version(in_tenant, "legal", 3)
    later = timezone.now() + dt.timedelta(hours=1)
    promotion = promote_version(tenant=tenant, version=third, created_by=None, not_before=later)
    move_tenant(tenant=tenant, to=other)
    for _ in range(4):
        step_jobs()
    route.refresh_from_db()
    assert route.active.endpoint == other
    type(promotion).objects.filter(id=promotion.id).update(not_before=timezone.now())
    run_jobs()
    route.refresh_from_db()
    assert (route.active.endpoint, route.active.version) == (other, third)


def test_where_it_is_already_and_an_endpoint_that_is_not_there_are_refused(
    route: Route, tenant: Tenant, endpoint: Endpoint, other: Endpoint
) -> None:
    with pytest.raises(Conflict, match="is on shared already"):
        move_tenant(tenant=tenant, to=endpoint)
    Endpoint.objects.filter(id=other.id).update(state=EndpointState.FAILED)
    other.refresh_from_db()
    with pytest.raises(Conflict, match="other is not in service"):
        move_tenant(tenant=tenant, to=other)


def test_an_endpoint_is_deleted_only_once_nothing_is_live_on_it(
    route: Route, tenant: Tenant, endpoint: Endpoint, other: Endpoint, memory: MemoryEndpoint, run_jobs: RunJobs
) -> None:
    with pytest.raises(Conflict, match="1 adapter is live on shared"):
        delete_endpoint(endpoint=endpoint)
    make_default(endpoint=other)
    move_tenant(tenant=tenant, to=other)
    run_jobs()
    delete_endpoint(endpoint=endpoint)
    reconcile()
    endpoint.refresh_from_db()
    assert endpoint.state == EndpointState.DELETED
    assert set(Deployment.objects.live().values_list("endpoint__name", flat=True)) == {"other"}
    assert memory.held == {}
