"""No address of the site, whoever calls it and however, gives away or changes another tenant's row."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.serializers import serialize
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from adapters.models import Adapter, AdapterVersion, Sweep, TrainingRun
from corpora.models import Dataset, DatasetVersion, Upload
from evaluations.models import EvaluationItem, EvaluationRun, Judge, Review, Rubric
from jobs.models import Job
from serving.models import Deployment, Promotion, Route
from tenants.models import ApiKey, Invitation, Membership, Tenant
from tenants.scope import tenant_scope
from tests.portal.addresses import (
    ADDRESSES,
    OPERATORS,
    PAGES,
    PATTERNS,
    PUBLIC,
    REST,
    STAFF,
    Pattern,
    World,
    ask,
    filled,
    names_a_row,
    url_of,
)
from tests.portal.world import CANARY

pytestmark = pytest.mark.slow

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
NEVER_A_METHOD = "BREW"

TENANTS = sorted(PAGES | REST)
WITH_ID = sorted(name for name in TENANTS if ADDRESSES[name].row)
WITH_ID_IN_BODY = sorted(name for name in REST if names_a_row(REST[name].sent) and not REST[name].row)
EACH_METHOD = [(name, method) for name in sorted(ADDRESSES) for method in ADDRESSES[name].own]

EVERY_ID = {
    "dataset": Dataset,
    "dataset_version": DatasetVersion,
    "against": DatasetVersion,
    "upload": Upload,
    "adapter": Adapter,
    "version": AdapterVersion,
    "adapter_version": AdapterVersion,
    "run": TrainingRun,
    "runs": [TrainingRun, TrainingRun],
    "training_run": TrainingRun,
    "clone": TrainingRun,
    "clone_of": TrainingRun,
    "sweep": Sweep,
    "job": Job,
    "evaluation": EvaluationRun,
    "item": EvaluationItem,
    "example": EvaluationItem,
    "review": Review,
    "judge": Judge,
    "rubric": Rubric,
    "deployment": Deployment,
    "route": Route,
    "promotion": Promotion,
    "key": ApiKey,
    "membership": Membership,
    "invitation": Invitation,
    "tenant": Tenant,
}
"""Every name under which an id is asked for in a query or a body."""


def snapshot(tenant: Tenant, world: World) -> list[str]:
    """Every row of the tenant."""
    with tenant_scope(tenant.id):
        return [serialize("json", model._base_manager.order_by("pk")) for model in world]


@pytest.fixture
def caller_of(as_alice: Client, as_olga: Client) -> Callable[[str], Client]:
    """Who is answered at an address: anybody, the site's operator, or the owner."""
    return lambda name: Client() if name in PUBLIC else as_olga if name in STAFF else as_alice


def body_of(answer: Any) -> str:
    return b"".join(answer).decode(errors="replace")


@pytest.fixture
def key_of_charlie(other_api: APIClient) -> APIClient:
    return other_api


@pytest.mark.parametrize("pattern", PATTERNS, ids=[pattern.name for pattern in PATTERNS])
def test_an_address_is_known_and_allows_only_its_methods(pattern: Pattern, caller_of: Callable[[str], Client]) -> None:
    known = ADDRESSES.get(pattern.name)
    assert known, (
        f"{pattern.name} is new: add it to PAGES or REST in tests/portal/addresses.py, with the status that its owner "
        "gets by each method it allows, and the model of the id in it."
    )
    assert known.by_token or len(pattern.parameters) == (known.row is not None) + len(known.also), (
        f"{pattern.name} has the parameters {pattern.parameters}, and tests/portal/addresses.py gives it the row "
        f"{known.row}: name the model of its id there. An address has one id at most."
    )
    caller = caller_of(pattern.name)
    url = reverse(pattern.name, kwargs=dict.fromkeys(pattern.parameters, uuid4()) | ADDRESSES[pattern.name].also)
    answer = ask(caller, NEVER_A_METHOD, url, {})
    assert answer.status_code == 405, (
        f"{pattern.name} answers to any method: put @require_safe, @require_POST or @require_http_methods on its view."
    )
    allowed = {method.strip() for method in answer["Allow"].split(",")}
    assert allowed & set(METHODS) == set(known.own), f"{pattern.name} allows {sorted(allowed)}"
    assert ("HEAD" in allowed) == ("GET" in allowed), f"{pattern.name}: load balancers and crawlers ask by HEAD"


@pytest.mark.parametrize("name", sorted(name for name in ADDRESSES if "GET" in ADDRESSES[name].own))
def test_head_is_answered_as_get_is(
    name: str, world: dict[type[Model], Model], caller_of: Callable[[str], Client]
) -> None:
    assert caller_of(name).head(url_of(name, world)).status_code == ADDRESSES[name].own["GET"]


def test_no_address_is_known_that_is_gone() -> None:
    assert set(ADDRESSES) - {pattern.name for pattern in PATTERNS} == set()


@pytest.mark.parametrize(("name", "method"), EACH_METHOD, ids=[f"{method}-{name}" for name, method in EACH_METHOD])
def test_the_owner_is_answered(
    name: str, method: str, world: dict[type[Model], Model], caller_of: Callable[[str], Client]
) -> None:
    """The counterpart of a stranger's 404, which would mean nothing if the owner got one too."""
    sent = {} if method == "GET" else filled(ADDRESSES[name].sent, world)
    answer = ask(caller_of(name), method, url_of(name, world), sent)
    assert answer.status_code == ADDRESSES[name].own[method]


@pytest.mark.parametrize("name", WITH_ID)
def test_a_strangers_id_is_not_found(
    name: str,
    tenant: Tenant,
    world: dict[type[Model], Model],
    as_charlie: Client,
    key_of_charlie: APIClient,
) -> None:
    """By the very requests that answer the owner."""
    url = url_of(name, world)
    before = snapshot(tenant, world)
    for method in ADDRESSES[name].own:
        answers = {
            who: ask(client, method, url, {} if method == "GET" else filled(ADDRESSES[name].sent, world))
            for who, client in {"nobody": Client(), "charlie": as_charlie, "key": key_of_charlie}.items()
        }
        statuses = {who: answer.status_code for who, answer in answers.items()}
        if name in REST:
            assert statuses == {"nobody": 401, "charlie": 404, "key": 404}, method
        else:
            # Pages know no keys.
            assert statuses == {"nobody": 302, "charlie": 404, "key": 302}, method
            assert all("/sign-in/" in answers[who]["Location"] for who in ("nobody", "key")), method
        assert not [who for who, answer in answers.items() if CANARY in body_of(answer)], method
    assert snapshot(tenant, world) == before


@pytest.mark.parametrize("name", WITH_ID_IN_BODY)
def test_a_strangers_id_in_a_body_is_not_found(
    name: str, tenant: Tenant, world: dict[type[Model], Model], key_of_charlie: APIClient
) -> None:
    before = snapshot(tenant, world)
    answer = ask(key_of_charlie, "POST", url_of(name, world), filled(REST[name].sent, world))
    assert answer.status_code == 404
    assert snapshot(tenant, world) == before


@pytest.mark.parametrize("name", TENANTS)
def test_a_stranger_learns_and_changes_nothing(
    name: str,
    tenant: Tenant,
    world: dict[type[Model], Model],
    as_charlie: Client,
    key_of_charlie: APIClient,
) -> None:
    """Whatever method they try, and with every id of the other tenant under every name it might be asked for."""
    url = url_of(name, world)
    ids = filled(EVERY_ID, world) | {"recipe": "style", "grade": "5"}
    before = snapshot(tenant, world)
    for who, client in {"nobody": Client(), "charlie": as_charlie, "key": key_of_charlie}.items():
        for method in (*METHODS, "HEAD", "OPTIONS"):
            answer = ask(client, method, url, ids)
            said = f"{who} {method} {url}: {answer.status_code}"
            assert answer.status_code < 500, said
            assert CANARY not in body_of(answer), said
    assert snapshot(tenant, world) == before


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_a_row_of_the_operator_is_for_every_tenant(
    name: str, world: dict[type[Model], Model], as_charlie: Client
) -> None:
    assert as_charlie.get(url_of(name, world)).status_code == 200
    assert Client().get(url_of(name, world)).status_code == 401


@pytest.mark.parametrize("name", sorted(STAFF))
def test_a_page_of_the_operator_is_found_by_nobody_else(
    name: str,
    tenant: Tenant,
    world: dict[type[Model], Model],
    as_alice: Client,
    as_charlie: Client,
    key_of_charlie: APIClient,
) -> None:
    """Not even with the requests that answer the operator."""
    url, before = url_of(name, world), snapshot(tenant, world)
    for method in STAFF[name].own:
        sent = {} if method == "GET" else filled(STAFF[name].sent, world)
        for client, status in ((Client(), 302), (as_alice, 404), (as_charlie, 404), (key_of_charlie, 302)):
            answer = ask(client, method, url, sent)
            assert answer.status_code == status, method
            assert CANARY not in body_of(answer), method
    assert snapshot(tenant, world) == before
