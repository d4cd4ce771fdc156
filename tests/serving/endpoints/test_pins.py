"""Pinned adapters keep their slot: what the backend asks of engines, and what the reconciler keeps up."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.models import AdapterVersion
from serving.backends.base import Package
from serving.backends.errors import EndpointError
from serving.backends.residency import Residency
from serving.backends.vllm import VllmEndpoint
from serving.endpoints.deployments import hold_deployment, move
from serving.endpoints.reconciler import reconcile
from serving.models import Deployment, DeploymentState, Endpoint, Route
from serving.promotions.routes import switch_route
from tenants.models import AuditEvent, Tenant
from tests.serving.endpoints.pinning_engine import PinningEngine, serving
from tests.serving.memory_endpoint import MemoryEndpoint

pytestmark = pytest.mark.django_db
MakeVersion = Callable[..., AdapterVersion]


def backend_at(url: str, folder: Path, **options: Any) -> VllmEndpoint:
    return VllmEndpoint("default", {"URL": url, "ADAPTER_DIR": folder, **options})


@pytest.mark.parametrize("in_place", [True, False], ids=["ours", "LMI"])
def test_an_adapter_is_pinned_and_unpinned(in_place: bool, package: Package, tmp_path: Path) -> None:
    engine = PinningEngine(in_place=in_place)
    with serving(engine) as url:
        backend = backend_at(url, tmp_path)
        backend.deploy("one", package)
        for is_pinned in (True, True, False, False):
            backend.pin("one", package, is_pinned=is_pinned)
            assert engine.held == {"one": is_pinned}
            found = backend.residency()
            assert found is not None
            assert found.pinned == ({"one"} if is_pinned else set())
    loads = [body for call, body in engine.asked if call == "load"]
    assert (loads[1]["preload"], loads[1]["pin"]) == (True, True)


def test_an_adapter_that_is_not_loaded_is_loaded_to_pin_it(package: Package, tmp_path: Path) -> None:
    engine = PinningEngine()
    with serving(engine) as url:
        backend_at(url, tmp_path).pin("one", package, is_pinned=True)
    assert engine.held == {"one": True}


def test_without_a_free_slot_it_says_so(package: Package, tmp_path: Path) -> None:
    engine = PinningEngine(slots=1)
    engine.held = {"other": True}
    with serving(engine) as url, pytest.raises(EndpointError) as caught:
        backend_at(url, tmp_path).pin("one", package, is_pinned=True)
    assert caught.value.code == "deployment:no_free_slot"
    assert not caught.value.temporary


@pytest.mark.parametrize("engine", [PinningEngine(pins=False), PinningEngine(tells=False)], ids=["ignores", "silent"])
def test_an_engine_that_cannot_is_told_from_one_that_does(
    engine: PinningEngine, package: Package, tmp_path: Path
) -> None:
    with serving(engine) as url:
        backend = backend_at(url, tmp_path)
        assert (backend.residency() is None) is not engine.tells
        with pytest.raises(EndpointError) as caught:
            backend.pin("one", package, is_pinned=True)
    assert caught.value.code == "deployment:cannot_pin"
    assert "one" in engine.held


def test_all_servers_pin(package: Package, tmp_path: Path) -> None:
    first, second = PinningEngine(), PinningEngine()
    with serving(first) as one, serving(second) as two:
        backend = backend_at("", tmp_path, URLS=(one, two))
        backend.deploy("one", package)
        backend.pin("one", package, is_pinned=True)
        found = backend.residency()
    assert found is not None
    assert found.pinned == {"one"}
    assert first.held == second.held == {"one": True}


def pinned(endpoint: Endpoint, version: AdapterVersion) -> Deployment:
    deployment = hold_deployment(endpoint=endpoint, version=version)
    assert move(deployment, DeploymentState.IN_SERVICE)
    Deployment.objects.filter(id=deployment.id).update(is_pinned=True)
    deployment.refresh_from_db()
    return deployment


def test_the_reconciler_pins_again_after_a_restart(
    memory: MemoryEndpoint, endpoint: Endpoint, in_tenant: Tenant, make_version: MakeVersion
) -> None:
    deployment = pinned(endpoint, make_version(in_tenant, "legal", 1))
    memory.resident = Residency(slots=2)
    # It is put back first.
    reconcile()
    assert memory.pinned == set()
    reconcile()
    assert memory.pinned == {deployment.name}
    memory.held.clear()
    memory.pinned.clear()
    reconcile()
    reconcile()
    assert memory.pinned == {deployment.name}
    Deployment.objects.filter(id=deployment.id).update(is_pinned=False)
    reconcile()
    assert memory.pinned == set()


def test_where_nothing_says_what_is_pinned_nothing_is_asked(
    memory: MemoryEndpoint, endpoint: Endpoint, in_tenant: Tenant, make_version: MakeVersion
) -> None:
    pinned(endpoint, make_version(in_tenant, "legal", 1))
    reconcile()
    reconcile()
    assert memory.pinned == set()


def test_what_an_endpoint_refuses_is_not_tried_again(
    memory: MemoryEndpoint, endpoint: Endpoint, in_tenant: Tenant, make_version: MakeVersion,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    deployment = pinned(endpoint, make_version(in_tenant, "legal", 1))
    memory.resident = Residency(slots=2)
    tries = 0

    def refuse(name: str, package: Package, *, is_pinned: bool) -> None:
        nonlocal tries
        tries += 1
        raise EndpointError("deployment:no_free_slot", "Every other slot has a pinned adapter.", temporary=False)

    monkeypatch.setattr(memory, "pin", refuse)
    for _ in range(3):
        reconcile()
    assert tries == 1
    deployment.refresh_from_db()
    assert not deployment.is_pinned
    assert deployment.error_text == "Every other slot has a pinned adapter."
    event = AuditEvent.objects.get(action="deployment.unpinned")
    assert event.actor_kind == "site"


def test_a_pin_goes_on_to_the_version_that_takes_over(
    memory: MemoryEndpoint, endpoint: Endpoint, in_tenant: Tenant, make_version: MakeVersion
) -> None:
    first = pinned(endpoint, make_version(in_tenant, "legal", 1))
    second = hold_deployment(endpoint=endpoint, version=make_version(in_tenant, "legal", 2))
    move(second, DeploymentState.IN_SERVICE)
    adapter = first.version.adapter
    route = Route.objects.create(tenant=in_tenant, adapter=adapter, alias=adapter.name, active=first)
    switch_route(route=route, to=second)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.is_pinned, second.is_pinned) == (False, True)


def test_the_real_engine_pins_and_unpins(vllm: VllmEndpoint, package: Package) -> None:
    vllm.deploy("one", package)
    for is_pinned in (True, True, False, False):
        vllm.pin("one", package, is_pinned=is_pinned)
        found = vllm.residency()
        assert found is not None
        assert found.pinned == ({"one"} if is_pinned else set())
        assert found.slots == 16
        assert found.memory.keys() >= {"base", "slots", "process"}
