"""Endpoints are made, changed and deleted by the operator: states, refusals, and what a cloud’s troubles become."""

import datetime as dt
import importlib
from collections.abc import Callable, Iterator
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from adapters.models import AdapterVersion
from rest.errors import Conflict, PortalError
from serving.backends import endpoints
from serving.backends.base import Provision, Waiting
from serving.backends.errors import EndpointError
from serving.backends.vllm import VllmEndpoint
from serving.endpoints.deployments import hold_deployment, move
from serving.endpoints.provisioning import PATIENCE, advance
from serving.endpoints.queries import EndpointNotSetUp, backend_of, endpoint_named
from serving.endpoints.reconciler import reconcile
from serving.endpoints.services import change_endpoint, create_endpoint, delete_endpoint, make_default, make_endpoint
from serving.models import Deployment, DeploymentState, Endpoint, EndpointState, Placement, Route
from serving.promotions.routes import switch_route
from tenants.models import Tenant
from tests.serving.memory_endpoint import MemoryEndpoint

pytestmark = pytest.mark.django_db


class SlowCloud(MemoryEndpoint):
    """An endpoint that is made in so many looks; `trouble` is raised instead."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 2
        self.trouble: EndpointError | None = None
        self.done: list[str] = []

    def provision(self) -> Provision:
        return self

    def create(self) -> Iterator[str]:
        yield from self._work("create")

    def update(self) -> Iterator[str]:
        yield from self._work("update")

    def delete(self, name: str = "") -> Iterator[str]:  # type: ignore[override]
        yield from self._work("delete")

    def _work(self, verb: str) -> Iterator[str]:
        yield f"Beginning to {verb}"
        if self.trouble:
            raise self.trouble
        while self.looks:
            self.looks -= 1
            yield Waiting("The endpoint is Creating")
        self.done.append(verb)


@pytest.fixture
def cloud(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> SlowCloud:
    backend = SlowCloud()
    monkeypatch.setitem(endpoints.built, "default", backend)
    return backend


def of(endpoint: Endpoint) -> tuple[str, str, str]:
    endpoint.refresh_from_db()
    return endpoint.state, endpoint.doing, endpoint.error_text


def test_it_is_made_in_short_steps(endpoint: Endpoint, cloud: SlowCloud) -> None:
    make_endpoint(endpoint=endpoint)
    told: list[str] = []
    advance(endpoint, tell=told.append)
    assert of(endpoint) == ("creating", "The endpoint is Creating", "")
    assert told == ["Beginning to create", "The endpoint is Creating"]
    advance(endpoint)
    advance(endpoint)
    assert of(endpoint) == ("in_service", "", "")
    assert cloud.done == ["create"]
    advance(endpoint)
    assert cloud.done == ["create"], "one in service has nothing to be done"


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
    endpoint: Endpoint, cloud: SlowCloud, temporary: bool, verb: str, state: str
) -> None:
    begin: dict[str, Callable[[], None]] = {
        "create": lambda: make_endpoint(endpoint=endpoint),
        "update": lambda: change_endpoint(endpoint=endpoint, options={}),
        "delete": lambda: delete_endpoint(endpoint=endpoint),
    }
    begin[verb]()
    cloud.trouble = EndpointError("endpoint:failed", "No machine of this type is free.", temporary=temporary)
    advance(endpoint)
    assert (of(endpoint)[0], of(endpoint)[2]) == (state, "No machine of this type is free.")
    cloud.trouble, cloud.looks = None, 0
    if endpoint.state == EndpointState.FAILED:
        make_endpoint(endpoint=endpoint)
    advance(endpoint)
    assert of(endpoint)[2] == "" or verb == "update"


def test_what_takes_too_long_fails(endpoint: Endpoint, cloud: SlowCloud) -> None:
    make_endpoint(endpoint=endpoint)
    Endpoint.objects.update(state_since=timezone.now() - PATIENCE - dt.timedelta(seconds=1))
    endpoint.refresh_from_db()
    advance(endpoint)
    assert of(endpoint) == ("failed", "", "It took too long: The endpoint is Creating")


def test_nothing_is_put_on_an_endpoint_that_is_being_deleted(
    endpoint: Endpoint, cloud: SlowCloud, in_tenant: Tenant, make_version: Callable[..., AdapterVersion]
) -> None:
    deployment = hold_deployment(endpoint=endpoint, version=make_version(in_tenant, "legal", 1))
    assert move(deployment, DeploymentState.IN_SERVICE)
    route = Route.objects.create(adapter=deployment.version.adapter, alias="legal")
    switch_route(route=route, to=deployment)
    delete_endpoint(endpoint=endpoint, with_live_adapters=True)
    cloud.looks = 10
    reconcile()
    assert cloud.held == {}
    cloud.looks = 0
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
    wish = {"name": "second", "backend": "default", "base_model": endpoint.base_model, "options": {}, **changes}
    with pytest.raises(PortalError, match=said) as refused:
        create_endpoint(**wish)  # type: ignore[arg-type]
    assert refused.value.field == field
    assert Endpoint.objects.count() == 1


def test_only_one_thing_is_done_at_a_time(endpoint: Endpoint, cloud: SlowCloud) -> None:
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


def test_the_command_lists_makes_and_deletes(endpoint: Endpoint, cloud: SlowCloud) -> None:
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
    cloud.trouble = EndpointError("endpoint:failed", "No machine.", temporary=False)
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
