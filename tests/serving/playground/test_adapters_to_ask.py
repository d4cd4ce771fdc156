"""The playground offers some of many adapters: those asked last, then those live last, and any by search."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from adapters.models import AdapterVersion
from serving.models import Deployment, DeploymentState, Endpoint, Route
from serving.playground import queries, views
from tenants.models import Tenant

pytestmark = pytest.mark.django_db
NAMES = ("billing", "legal", "tickets", "triage")
URL = "/serving/playground/"


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (queries, views):
        monkeypatch.setattr(module, "OFFERED", 2)
    monkeypatch.setattr(views, "ask_all", lambda *_, **__: [])


@pytest.fixture
def four_live(in_tenant: Tenant, endpoint: Endpoint, make_version: Callable[..., AdapterVersion]) -> None:
    """The later in the alphabet, the later it went live."""
    began = timezone.now()
    for seed, name in enumerate(NAMES, 1):
        version = make_version(in_tenant, name, seed)
        deployment = Deployment.objects.create(
            tenant=in_tenant, endpoint=endpoint, version=version, name=name, state=DeploymentState.IN_SERVICE
        )
        Route.objects.create(
            tenant=in_tenant, adapter=version.adapter, alias=name, active=deployment,
            switched_at=began + dt.timedelta(minutes=seed),
        )  # fmt: skip


def offered(client: Client, **query: str) -> list[str]:
    """The aliases to choose from, the chosen one with an asterisk."""
    page = client.get(URL, query).content.decode()
    options = re.findall(r'<option value="([^"]+)"( selected)?>', page)
    return [f"{alias}*" if selected else alias for alias, selected in options]


def ask(client: Client, alias: str) -> None:
    question = {"alias": alias, "prompt": "Why?", "max_tokens": "8"}
    assert client.post(f"{URL}ask/", question).status_code == 200


def test_those_live_last_are_offered(as_bob: Client, four_live: None) -> None:
    assert offered(as_bob) == ["triage*", "tickets"]


def test_those_asked_last_come_first(as_bob: Client, four_live: None) -> None:
    ask(as_bob, "billing")
    ask(as_bob, "legal")
    assert offered(as_bob) == ["legal*", "billing"]
    ask(as_bob, "billing")
    assert offered(as_bob) == ["billing*", "legal"]


def test_any_is_found_and_can_be_asked(as_bob: Client, four_live: None) -> None:
    assert offered(as_bob, q="ILL") == ["billing*"]
    assert offered(as_bob, alias="billing") == ["billing*", "triage", "tickets"]
    page = as_bob.get(URL, {"q": "nobodys"}).content.decode()
    assert "No live adapters found" in page
    assert offered(as_bob, q="nobodys") == ["triage*", "tickets"]


def test_nobody_is_offered_what_a_member_of_another_tenant_asked(
    as_bob: Client, as_charlie: Client, four_live: None
) -> None:
    ask(as_bob, "billing")
    session = as_charlie.session
    session["playground_routes"] = as_bob.session["playground_routes"]
    session.save()
    assert "billing" not in as_charlie.get(URL).content.decode()


def test_its_queries_do_not_grow_with_the_adapters(
    as_bob: Client, four_live: None, django_assert_max_num_queries: Callable[..., object]
) -> None:
    ask(as_bob, "billing")
    with django_assert_max_num_queries(10):  # type: ignore[attr-defined]
        as_bob.get(URL)
