"""The endpoint holds what the rows say: no less after a restart, no more after a drain."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone

from adapters.models import AdapterVersion
from rest.errors import Conflict
from serving.backends import endpoints
from serving.backends.base import Package, Status
from serving.backends.vllm import VllmEndpoint
from serving.endpoints.asking import ask
from serving.endpoints.deployments import hold_deployment, move
from serving.endpoints.reconciler import reconcile
from serving.models import Deployment, DeploymentState, Endpoint, Route
from serving.promotions.routes import switch_route
from tenants.models import Tenant
from tests.serving.conftest import user
from tests.serving.engine import Engine
from tests.serving.faulty_endpoint import FaultyEndpoint
from tests.serving.memory_endpoint import MemoryEndpoint

pytestmark = pytest.mark.django_db
MakeVersion = Callable[..., AdapterVersion]


def in_service(endpoint: Endpoint, version: AdapterVersion) -> Deployment:
    deployment = hold_deployment(endpoint=endpoint, version=version)
    assert move(deployment, DeploymentState.IN_SERVICE)
    return deployment


def test_an_engine_that_restarted_gets_its_adapters_back(
    engine: Engine, vllm: VllmEndpoint, endpoint: Endpoint, in_tenant: Tenant, make_version: MakeVersion
) -> None:
    deployment = in_service(endpoint, make_version(in_tenant, "legal", 1))
    reconcile()
    before = ask(vllm.target(deployment.name), user("Repeat: amber."), max_tokens=8).text
    engine.stop()
    reconcile()
    engine.start()
    assert set(vllm.list()) == set()
    reconcile()
    assert set(vllm.list()) == {deployment.name}
    assert ask(vllm.target(deployment.name), user("Repeat: amber."), max_tokens=8).text == before


def test_only_our_own_strays_are_removed(
    memory: MemoryEndpoint, endpoint: Endpoint, in_tenant: Tenant, make_version: MakeVersion
) -> None:
    version = make_version(in_tenant, "legal", 1)
    deployment = in_service(endpoint, version)
    stray, foreign = f"{'0' * 20}-{'1' * 24}", "somebody-elses-adapter"
    package = Package(key=version.package_key, sha256=version.package_sha256)
    memory.held = {stray: (package, Status.IN_SERVICE), foreign: (package, Status.IN_SERVICE)}
    reconcile()
    assert set(memory.held) == {foreign, deployment.name}
    assert memory.kept == {version.package_sha256}


def test_a_stray_that_is_still_being_made_does_not_keep_the_others_there(
    endpoint: Endpoint, in_tenant: Tenant, make_version: MakeVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, package = FaultyEndpoint(), Package(key="any", sha256="0" * 64)
    monkeypatch.setitem(endpoints.built, "default", backend)
    names = [f"{'0' * 20}-{digit * 24}" for digit in "123"]
    statuses = (Status.IN_SERVICE, Status.CREATING, Status.IN_SERVICE)
    backend.held = {name: (package, status) for name, status in zip(names, statuses, strict=True)}
    deployment = in_service(endpoint, make_version(in_tenant, "legal", 1))
    reconcile()
    assert set(backend.held) == {names[1], deployment.name}
    assert backend.kept == {deployment.version.package_sha256}
    backend.settle()
    reconcile()
    assert set(backend.held) == {deployment.name}


def test_a_drain_that_is_over_ends_in_deletion(
    memory: MemoryEndpoint, endpoint: Endpoint, in_tenant: Tenant, make_version: MakeVersion
) -> None:
    deployment = in_service(endpoint, make_version(in_tenant, "legal", 1))
    until = timezone.now() + dt.timedelta(hours=1)
    assert move(deployment, DeploymentState.DRAINING, drain_until=until)
    reconcile()
    assert deployment.name in memory.held
    Deployment.objects.filter(id=deployment.id).update(drain_until=timezone.now() - dt.timedelta(seconds=1))
    reconcile()
    assert memory.held == {}
    deployment.refresh_from_db()
    assert deployment.state == DeploymentState.DELETED
    assert deployment.deleted_at is not None


def test_one_broken_package_does_not_keep_the_others_away(
    vllm: VllmEndpoint, endpoint: Endpoint, in_tenant: Tenant, make_version: MakeVersion
) -> None:
    broken, whole = make_version(in_tenant, "legal", 1), make_version(in_tenant, "support", 2)
    type(broken).objects.filter(id=broken.id).update(package_sha256="0" * 64)
    broken.refresh_from_db()
    bad, good = in_service(endpoint, broken), in_service(endpoint, whole)
    reconcile()
    assert set(vllm.list()) == {good.name}
    bad.refresh_from_db()
    assert "differs from the one that was trained" in bad.error_text


def test_a_creating_deployment_is_left_to_its_promotion(
    memory: MemoryEndpoint, endpoint: Endpoint, in_tenant: Tenant, make_version: MakeVersion
) -> None:
    deployment = hold_deployment(endpoint=endpoint, version=make_version(in_tenant, "legal", 1))
    reconcile()
    assert memory.held == {}
    package = Package(key="any", sha256="0" * 64)
    memory.held = {deployment.name: (package, Status.CREATING)}
    reconcile()
    assert set(memory.held) == {deployment.name}


def test_an_endpoint_that_is_away_changes_nothing(
    memory: MemoryEndpoint, endpoint: Endpoint, in_tenant: Tenant, make_version: MakeVersion
) -> None:
    deployment = in_service(endpoint, make_version(in_tenant, "legal", 1))
    memory.away = True
    reconcile()
    deployment.refresh_from_db()
    assert deployment.state == DeploymentState.IN_SERVICE


def test_a_late_mover_loses(endpoint: Endpoint, in_tenant: Tenant, make_version: MakeVersion) -> None:
    deployment = in_service(endpoint, make_version(in_tenant, "legal", 1))
    stale = Deployment.objects.get(id=deployment.id)
    assert move(deployment, DeploymentState.DRAINING)
    assert not move(stale, DeploymentState.FAILED)
    assert not move(deployment, DeploymentState.CREATING)
    deployment.refresh_from_db()
    assert deployment.state == DeploymentState.DRAINING


def test_a_route_never_switches_to_what_is_gone(
    memory: MemoryEndpoint, endpoint: Endpoint, in_tenant: Tenant, make_version: MakeVersion
) -> None:
    version = make_version(in_tenant, "legal", 1)
    deployment = in_service(endpoint, version)
    route = Route.objects.create(tenant=in_tenant, adapter=version.adapter, alias="legal")
    assert move(deployment, DeploymentState.DELETED)
    with pytest.raises(Conflict) as refused:
        switch_route(route=route, to=deployment)
    assert refused.value.code == "promotion:deployment_gone"
