"""What the front in AWS is told: the live models of one organisation that AWS reaches, and its routers."""

from pathlib import Path

import pytest
from django.core.files.storage import storages
from pytest_django import Settings

from lorakit.front.routes import read_routes
from serving.backends.target import OpenAITarget
from serving.routing.document import RouterDocument, RuleDraft
from serving.routing.publishing import publish, routes_of
from serving.routing.services import create_router
from serving.routing.tasks import publish_routes
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.serving.routing.conftest import PutLive

pytestmark = pytest.mark.django_db

DOCUMENT = RouterDocument(rules=(RuleDraft(kind="keyword", texts=("refund",), target="billing"),), default="legal")


@pytest.fixture
def on_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every model is a component of an endpoint."""
    monkeypatch.setattr(OpenAITarget, "component", lambda target: ("shared", f"c-{target.model}"))


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    settings.STORAGES = {
        **settings.STORAGES,
        "front": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path, "allow_overwrite": True},
        },
    }
    return tmp_path


@pytest.mark.usefixtures("on_aws")
def test_the_front_decides_as_the_gateway_does(desk: Tenant, other_tenant: Tenant, put_live: PutLive) -> None:
    put_live(other_tenant, "theirs")
    with tenant_scope(desk.id):
        create_router(tenant=desk, name="desk", document=DOCUMENT, created_by=None)
        routes = read_routes(routes_of().dump())
    assert {*routes.models} == {"billing", "legal", "tiny-llama"}
    assert routes.models["billing"].endpoint == "shared"
    assert (routes.models["billing"].version, routes.models["tiny-llama"].version) == (1, 0)
    [router] = routes.routers.values()
    assert [router.decide([text]).target for text in ("a refund", "hello")] == ["billing", "legal"]


def test_what_aws_does_not_reach_is_left_out(desk: Tenant) -> None:
    with tenant_scope(desk.id):
        assert routes_of().models == {}


@pytest.mark.usefixtures("on_aws")
def test_only_changes_are_stored(desk: Tenant, folder: Path, put_live: PutLive) -> None:
    with tenant_scope(desk.id):
        assert publish(desk)
        assert not publish(desk)
    put_live(desk, "support")
    publish_routes()
    assert "support" in read_routes((folder / f"{desk.slug}.json").read_bytes()).models


def test_nothing_is_stored_where_no_front_is_served(desk: Tenant) -> None:
    assert "front" not in storages.backends
    publish_routes()
