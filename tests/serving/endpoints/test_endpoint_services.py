"""Endpoints are made, changed and deleted by the operator: states, refusals, and what a cloud’s troubles become."""

import datetime as dt
import importlib
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from adapters.models import AdapterVersion
from rest.errors import Conflict, PortalError
from serving.backends import endpoints
from serving.backends.base import Provision
from serving.backends.errors import EndpointError
from serving.backends.vllm import VllmEndpoint
from serving.endpoints.deployments import hold_deployment, move
from serving.endpoints.loading import load
from serving.endpoints.provisioning import PATIENCE, advance
from serving.endpoints.queries import EndpointNotSetUp, backend_of, endpoint_named
from serving.endpoints.reconciler import reconcile
from serving.endpoints.services import (
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    make_default,
    make_endpoint,
    plan_change,
)
from serving.models import Deployment, DeploymentState, Endpoint, EndpointState, Placement, Route
from serving.promotions.routes import switch_route
from tenants.models import Tenant
from tests.serving.memory_endpoint import MemoryEndpoint
from tests.serving.slow_provision import SlowProvision

pytestmark = pytest.mark.django_db


class Cloud(MemoryEndpoint):
    """An endpoint in memory that is made in two looks."""

    def __init__(self) -> None:
        super().__init__()
        self.made = SlowProvision(looks=2)

    def provision(self) -> Provision:
        return self.made


@pytest.fixture
def cloud(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    backend = Cloud()
    monkeypatch.setitem(endpoints.built, "default", backend)
    return backend


def of(endpoint: Endpoint) -> tuple[str, str, str]:
    endpoint.refresh_from_db()
    return endpoint.state, endpoint.doing, endpoint.error_text


def test_it_is_made_in_short_steps(endpoint: Endpoint, cloud: Cloud) -> None:
    make_endpoint(endpoint=endpoint)
    told: list[str] = []
    advance(endpoint, tell=told.append)
    assert of(endpoint) == ("creating", "The endpoint is Creating", "")
    assert told == ["Beginning to create", "The endpoint is Creating"]
    advance(endpoint)
    advance(endpoint)
    assert of(endpoint) == ("in_service", "", "")
    assert cloud.made.done == ["create"]
    advance(endpoint)
    assert cloud.made.done == ["create"], "one in service has nothing to be done"


@pytest.mark.parametrize(
    ("temporary", "verb", "state"),
    [
        (True, "create", "creating"),
        (False, "create", "failed"),
        (True, "update", "changing"),
        (False, "update", "in_service"),
        (False, "delete", "failed"),
    ],
)
def test_what_goes_wrong_is_told_and_tried_again_if_that_helps(
    endpoint: Endpoint, cloud: Cloud, temporary: bool, verb: str, state: str
) -> None:
    begin: dict[str, Callable[[], None]] = {
        "create": lambda: make_endpoint(endpoint=endpoint),
        "update": lambda: change_endpoint(endpoint=endpoint, options={}),
        "delete": lambda: delete_endpoint(endpoint=endpoint),
    }
    begin[verb]()
    cloud.made.trouble = EndpointError("endpoint:failed", "No machine of this type is free.", temporary=temporary)
    advance(endpoint)
    assert (of(endpoint)[0], of(endpoint)[2]) == (state, "No machine of this type is free.")
    cloud.made.trouble, cloud.made.looks = None, 0
    if endpoint.state == EndpointState.FAILED:
        make_endpoint(endpoint=endpoint)
    advance(endpoint)
    assert of(endpoint)[2] == "" or verb == "update"


def test_what_takes_too_long_fails(endpoint: Endpoint, cloud: Cloud) -> None:
    make_endpoint(endpoint=endpoint)
    Endpoint.objects.update(state_since=timezone.now() - PATIENCE - dt.timedelta(seconds=1))
    endpoint.refresh_from_db()
    advance(endpoint)
    assert of(endpoint) == ("failed", "", "It took too long: The endpoint is Creating")


def test_nothing_is_put_on_an_endpoint_that_is_being_deleted(
    endpoint: Endpoint, cloud: Cloud, in_tenant: Tenant, make_version: Callable[..., AdapterVersion]
) -> None:
    deployment = hold_deployment(endpoint=endpoint, version=make_version(in_tenant, "legal", 1))
    assert move(deployment, DeploymentState.IN_SERVICE)
    route = Route.objects.create(adapter=deployment.version.adapter, alias="legal")
    switch_route(route=route, to=deployment)
    delete_endpoint(endpoint=endpoint, with_live_adapters=True)
    cloud.made.looks = 10
    reconcile()
    assert cloud.held == {}
    cloud.made.looks = 0
    reconcile()
    assert of(endpoint)[0] == "deleted"
    make_endpoint(endpoint=endpoint)
    reconcile()
    assert set(cloud.held) == {deployment.name}, "what was live comes back with it"


def test_a_second_endpoint_is_kept_apart_from_the_first(vllm: VllmEndpoint, endpoint: Endpoint) -> None:
    second = create_endpoint(
        name="second", backend="default", base_model=endpoint.base_model, options={"URL": "http://127.0.0.1:9"}
    )
    backend = backend_of(second)
    assert isinstance(backend, VllmEndpoint)
    assert (backend.servers[0].url, backend.folder.name) == ("http://127.0.0.1:9", "second")
    assert backend_of(endpoint) is vllm
    assert backend_of(endpoint_named("second")) is backend, "built once"
    assert (endpoint.is_default, second.is_default) == (True, False)
    make_default(endpoint=second)
    endpoint.refresh_from_db()
    assert (endpoint.is_default, second.is_default) == (False, True)
    change_endpoint(endpoint=second, options={"URLS": "http://127.0.0.1:9, http://127.0.0.1:10"})
    several = backend_of(second)
    assert isinstance(several, VllmEndpoint)
    assert [server.url for server in several.servers] == ["http://127.0.0.1:9", "http://127.0.0.1:10"]
    assert several.folder == backend.folder


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"name": "Two Words"}, "name", "lower-case letters"),
        ({"name": "shared"}, "name", "There is an endpoint called shared"),
        ({"backend": "nowhere"}, "backend", "has no 'nowhere'"),
        ({"options": {"API_KEY": "secret"}}, "API_KEY", "can’t be set for one endpoint"),
        ({"options": {"MAX_RANK": "high"}}, "MAX_RANK", "must be a number"),
        ({"options": {"URL": ""}}, "URL", "needs the options URL"),
    ],
)
def test_a_bad_wish_is_refused_by_its_field(
    vllm: VllmEndpoint, endpoint: Endpoint, changes: dict[str, object], field: str, said: str
) -> None:
    wish: dict[str, Any] = {
        "name": "second",
        "backend": "default",
        "base_model": endpoint.base_model,
        "options": {},
        **changes,
    }
    with pytest.raises(PortalError, match=said) as refused:
        create_endpoint(**wish)
    assert refused.value.field == field
    assert Endpoint.objects.count() == 1


def test_a_new_endpoint_becomes_the_default_where_that_was_deleted(vllm: VllmEndpoint, endpoint: Endpoint) -> None:
    Endpoint.objects.update(state=EndpointState.DELETED)
    options = {"URL": "http://127.0.0.1:9"}
    second = create_endpoint(name="second", backend="default", base_model=endpoint.base_model, options=options)
    assert second.is_default


def test_one_that_a_promotion_is_under_way_to_is_not_deleted(
    endpoint: Endpoint, cloud: Cloud, in_tenant: Tenant, make_version: Callable[..., AdapterVersion]
) -> None:
    deployment = hold_deployment(endpoint=endpoint, version=make_version(in_tenant, "legal", 1))
    with pytest.raises(Conflict, match="is putting an adapter on shared"):
        delete_endpoint(endpoint=endpoint)
    assert move(deployment, DeploymentState.DELETED)
    delete_endpoint(endpoint=endpoint)


def test_nothing_is_loaded_on_one_that_is_not_in_service(
    endpoint: Endpoint, cloud: Cloud, in_tenant: Tenant, make_version: Callable[..., AdapterVersion]
) -> None:
    deployment = hold_deployment(endpoint=endpoint, version=make_version(in_tenant, "legal", 1))
    deployment.endpoint.state = EndpointState.DELETING
    with pytest.raises(EndpointError, match="shared is not in service") as waits:
        load(deployment)
    assert waits.value.temporary
    assert cloud.held == {}


def test_plans_are_not_kept(vllm: VllmEndpoint, endpoint: Endpoint) -> None:
    before = set(endpoints.built)
    plan_change(endpoint=endpoint, options={"URL": "http://127.0.0.1:9"})
    assert set(endpoints.built) == before


def test_only_one_thing_is_done_at_a_time(endpoint: Endpoint, cloud: Cloud) -> None:
    make_endpoint(endpoint=endpoint)
    with pytest.raises(Conflict, match="shared is creating now"):
        change_endpoint(endpoint=endpoint, options={})


def test_settings_that_no_longer_fit_are_told(endpoint: Endpoint) -> None:
    endpoint.backend = "gone"
    endpoint.save()
    with pytest.raises(EndpointNotSetUp, match="shared"):
        backend_of(endpoint)
    reconcile()
    Endpoint.objects.update(state=EndpointState.CREATING)
    reconcile()
    assert of(endpoint)[0] == "failed"


def test_the_command_lists_makes_and_deletes(endpoint: Endpoint, cloud: Cloud) -> None:
    def run(*words: str) -> str:
        out = StringIO()
        call_command("endpoint", *words, "--yes", "--poll", "0", stdout=out)
        return out.getvalue()

    assert "In service, default" in run("list")
    assert run("create").splitlines() == ["Beginning to create", "The endpoint is Creating", "In service."]
    assert run("delete").splitlines()[-1] == "Nothing is left."
    assert "shared" not in run("list")
    with pytest.raises(CommandError, match="no endpoint called other"):
        run("status", "other")
    with pytest.raises(CommandError, match="--set OPTION=VALUE"):
        run("create", "other", "--set", "URL")
    cloud.made.trouble = EndpointError("endpoint:failed", "No machine.", temporary=False)
    with pytest.raises(CommandError, match="No machine"):
        run("create")


def test_tenants_of_an_older_site_stay_where_they_are(
    endpoint: Endpoint, memory: MemoryEndpoint, in_tenant: Tenant, make_version: Callable[..., AdapterVersion]
) -> None:
    deployment = hold_deployment(endpoint=endpoint, version=make_version(in_tenant, "legal", 1))
    assert move(deployment, DeploymentState.IN_SERVICE)
    switch_route(route=Route.objects.create(adapter=deployment.version.adapter, alias="legal"), to=deployment)
    Endpoint.objects.update(is_default=False)
    Endpoint.objects.create(name="another", backend="default", base_model=endpoint.base_model)
    importlib.import_module("serving.migrations.0006_fill_placements").fill(apps, None)
    assert Placement.objects.get().endpoint == endpoint
    assert Endpoint.objects.get(is_default=True).name == "another", "the first by name, as before"
    assert Deployment.objects.get().endpoint == endpoint
