"""Endpoints of base models on engines that the site starts by itself."""

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from django.core.management import call_command
from pytest_django import Settings

from adapters.base_models.services import add_base_model, remove_base_model
from adapters.models import BaseModel
from rest.errors import Conflict
from serving.backends import endpoints
from serving.backends.vllm import SiteEngine
from serving.backends.vllm.site_engine import STOPPED
from serving.endpoints.queries import place_of
from serving.endpoints.services import delete_endpoint, ensure_endpoint, plan_endpoint
from serving.endpoints.site_engines import ensure_site_engines
from serving.models import Endpoint, EndpointState, Placement
from tenants.models import Tenant
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def engines(tmp_path: Path, settings: Settings) -> Iterator[None]:
    """The alias that an embedded site has."""
    options = {"URL": "http://127.0.0.1:9", "ADAPTER_DIR": tmp_path / "deployments"}
    alias = {"BACKEND": "serving.backends.vllm.SiteEngine", "OPTIONS": options}
    settings.ENDPOINTS = {**settings.ENDPOINTS, "engines": alias}
    yield
    endpoints.built.pop("engines", None)


@pytest.fixture
def second(tmp_path: Path, settings: Settings) -> BaseModel:
    """A base model in a folder of this machine, without an endpoint."""
    folder = tmp_path / "second"
    shutil.copytree(settings.BASE_MODEL_DIR, folder)
    (folder / "build.json").unlink()
    return add_base_model(folder=folder, name="Second_base", title="Second")


def test_a_new_base_model_gets_an_endpoint_once(second: BaseModel, tenant: Tenant) -> None:
    ensure_site_engines()
    ensure_site_engines()
    [endpoint] = Endpoint.objects.filter(base_model=second)
    assert (endpoint.name, endpoint.backend, endpoint.state) == ("second-base", "engines", EndpointState.IN_SERVICE)
    assert endpoint.is_default
    assert endpoint.options["BASE"] == "Second_base"
    with tenant_scope(tenant.id):
        assert place_of(second.id) == endpoint


def test_each_has_an_address_and_a_folder_of_its_own(second: BaseModel) -> None:
    ensure_site_engines()
    backend = endpoints.of("engines", Endpoint.objects.get(base_model=second).options)
    assert isinstance(backend, SiteEngine)
    assert backend.servers[0].url.endswith("/bases/Second_base")
    assert backend.folder.name == "second-base"


def test_a_name_that_is_taken_or_none_is_replaced(second: BaseModel, tmp_path: Path, settings: Settings) -> None:
    ensure_endpoint(name="second-base", backend="default", base_model=BaseModel.objects.create(name="a", title="A"))
    BaseModel.objects.create(name="___", title="B", location=str(tmp_path))
    ensure_site_engines()
    names = set(Endpoint.objects.filter(backend="engines").values_list("name", flat=True))
    assert len(names) == 2
    assert all(name.startswith("base-") for name in names)


def test_a_base_model_that_lies_elsewhere_gets_none() -> None:
    BaseModel.objects.create(name="far", title="Far", location="s3://models/far")
    BaseModel.objects.create(name="nowhere", title="Nowhere")
    ensure_site_engines()
    assert not Endpoint.objects.filter(backend="engines").exists()


def test_a_site_without_such_engines_makes_none(second: BaseModel, settings: Settings) -> None:
    settings.ENDPOINTS = {"default": settings.ENDPOINTS["default"]}
    ensure_site_engines()
    assert not Endpoint.objects.filter(base_model=second).exists()


def test_one_that_the_operator_deleted_stays_away(second: BaseModel) -> None:
    ensure_site_engines()
    endpoint = Endpoint.objects.get(base_model=second)
    delete_endpoint(endpoint=endpoint)
    Endpoint.objects.filter(id=endpoint.id).update(state=EndpointState.DELETED)
    ensure_site_engines()
    assert not Endpoint.objects.standing().filter(base_model=second).exists()


def test_two_endpoints_are_never_on_the_same_engine(second: BaseModel) -> None:
    ensure_site_engines()
    with pytest.raises(Conflict) as refused:
        plan_endpoint(name="again", backend="engines", base_model=second, options={})
    assert refused.value.code == "endpoint:same_server"


def test_a_base_model_goes_with_its_unused_endpoint(second: BaseModel) -> None:
    ensure_site_engines()
    remove_base_model(base_model=second)
    assert not Endpoint.objects.filter(name="second-base").exists()


def test_a_base_model_stays_while_an_organisation_has_its_place_there(second: BaseModel, tenant: Tenant) -> None:
    ensure_site_engines()
    with tenant_scope(tenant.id):
        Placement.objects.create(tenant=tenant, base_model=second, endpoint=Endpoint.objects.get(base_model=second))
    with pytest.raises(Conflict):
        remove_base_model(base_model=second)
    assert Endpoint.objects.filter(base_model=second).exists()


def test_an_endpoint_that_takes_over_another_base_leaves_that_its_default(second: BaseModel) -> None:
    first = BaseModel.objects.create(name="first", title="First")
    shared = ensure_endpoint(name="shared", backend="default", base_model=first)
    ensure_site_engines()
    again = ensure_endpoint(name="shared", backend="default", base_model=second)
    assert again.id == shared.id
    assert Endpoint.objects.get(base_model=second, is_default=True).name == "second-base"


def test_base_models_are_added_and_served_while_the_site_runs(second: BaseModel) -> None:
    from serving.tasks import reconcile_endpoints

    reconcile_endpoints()
    said = io.StringIO()
    call_command("endpoint", "list", stdout=said)
    assert "second-base" in said.getvalue()


def test_a_stopped_engine_is_well_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = SiteEngine("engines", {"URL": "http://127.0.0.1:9", "ADAPTER_DIR": "/nowhere", "BASE": "one"})
    listed = {"data": [{"id": "one", "parent": None}, {"id": "a", "parent": "one"}]}
    state = {"status": "stopped"}

    def answered(url: str, **_options: Any) -> Any:
        body = state if url == "http://127.0.0.1:9/bases/one/health" else listed
        return SimpleNamespace(json=lambda: body, is_success=True)

    monkeypatch.setattr(httpx, "get", answered)
    monkeypatch.setattr(httpx, "request", lambda _method, url, **options: answered(url, **options))
    assert (backend.health().ok, backend.health().text, backend.health().adapters) == (True, STOPPED, 1)
    assert backend.running_instances() == 0
    state["status"] = "running"
    assert backend.health().text == ""
    assert backend.running_instances() == 1


def test_without_the_host_it_is_not_well() -> None:
    backend = SiteEngine("engines", {"URL": "http://127.0.0.1:9", "ADAPTER_DIR": "/nowhere", "BASE": "one"})
    assert not backend.health().ok
    assert backend.running_instances() == 0
