"""Rolling back is the same switch backwards: at once while the previous deployment is there."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone

from adapters.models import AdapterVersion
from jobs.states import State
from rest.errors import Conflict
from serving.endpoints.reconciler import reconcile
from serving.models import Deployment, DeploymentState, Route
from serving.promotions.services import promote_version, roll_back
from tenants.models import Tenant, User, WebhookEvent
from tenants.webhooks.services import create_webhook
from tests.serving.memory_endpoint import MemoryEndpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def route(
    memory: MemoryEndpoint,
    in_tenant: Tenant,
    make_version: Callable[..., AdapterVersion],
    run_jobs: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> Route:
    """v1 promoted, then v2."""
    monkeypatch.setattr("serving.endpoints.loading.known_answers", lambda version, limit: [])
    for seed in (1, 2):
        version = make_version(in_tenant, "legal", seed)
        promote_version(tenant=in_tenant, version=version, created_by=None)
        run_jobs()
    return Route.objects.get(alias="legal")


def test_it_switches_at_once_while_the_previous_one_drains(route: Route, tenant: Tenant, alice: User) -> None:
    first, second = route.previous, route.active
    promotion = roll_back(tenant=tenant, route=route, created_by=alice)
    assert (promotion.is_rollback, promotion.job, promotion.version) == (True, None, first.version)
    route.refresh_from_db()
    assert (route.active, route.previous) == (first, second)
    assert route.active.state == DeploymentState.IN_SERVICE
    assert route.active.drain_until is None
    assert route.previous.state == DeploymentState.DRAINING


def test_twice_brings_back_the_newer_one(route: Route, tenant: Tenant) -> None:
    newest = route.active
    roll_back(tenant=tenant, route=route, created_by=None)
    roll_back(tenant=tenant, route=route, created_by=None)
    route.refresh_from_db()
    assert route.active == newest


def test_it_promotes_again_once_the_previous_one_is_gone(
    route: Route, tenant: Tenant, memory: MemoryEndpoint, run_jobs: Callable[..., None]
) -> None:
    past = timezone.now() - dt.timedelta(seconds=1)
    Deployment.objects.filter(id=route.previous.id).update(drain_until=past)
    reconcile()
    route.refresh_from_db()
    assert route.previous.state == DeploymentState.DELETED
    assert set(memory.held) == {route.active.name}
    promotion = roll_back(tenant=tenant, route=route, created_by=None)
    run_jobs()
    promotion.refresh_from_db()
    assert promotion.job.state == State.SUCCEEDED
    route.refresh_from_db()
    assert route.active.version == promotion.version
    assert route.active.name in memory.held


def test_there_must_be_something_to_roll_back_to(route: Route, tenant: Tenant) -> None:
    Route.objects.filter(id=route.id).update(previous=None)
    with pytest.raises(Conflict) as refused:
        roll_back(tenant=tenant, route=route, created_by=None)
    assert refused.value.code == "route:nothing_to_roll_back"


def test_not_while_a_promotion_is_under_way(route: Route, tenant: Tenant) -> None:
    promote_version(tenant=tenant, version=route.previous.version, created_by=None)
    with pytest.raises(Conflict) as refused:
        roll_back(tenant=tenant, route=route, created_by=None)
    assert refused.value.code == "promotion:running"


def test_webhooks_hear_of_it(route: Route, tenant: Tenant) -> None:
    create_webhook(tenant=tenant, url="https://example.com/")
    roll_back(tenant=tenant, route=route, created_by=None)
    event = WebhookEvent.objects.get(kind="model.switched")
    assert event.data["model"] == "legal"
    assert (event.data["live"]["number"], event.data["before"]["number"]) == (1, 2)
