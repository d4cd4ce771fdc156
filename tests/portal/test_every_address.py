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
    Address,
    World,
)
from tests.portal.asking import ask, filled, names_a_row, newly_come, undone, url_of
from tests.portal.world import CANARY

pytestmark = pytest.mark.slow

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
NEVER_A_METHOD = "BREW"

WITH_ID_IN_BODY = sorted(name for name in REST if names_a_row(REST[name].sent) and not REST[name].row)

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


# A world for each group, since making one takes longer than asking at an address.
GROUPS = pytest.mark.parametrize(
    "group", [PUBLIC, OPERATORS, PAGES, STAFF, REST], ids=["public", "operators", "pages", "staff", "rest"]
)
OF_TENANTS = pytest.mark.parametrize("group", [PAGES, REST], ids=["pages", "rest"])


def snapshot(tenant: Tenant, world: World) -> list[str]:
    """Every row of the tenant."""
    with tenant_scope(tenant.id):
        return [serialize("json", model._base_manager.order_by("pk")) for model in world]


@pytest.fixture
def caller_of(as_alice: Client, as_olga: Client) -> Callable[[str], Client]:
    """Who is answered at an address, newly come: anybody, the site's operator, or the owner."""

    def caller(name: str) -> Client:
        return Client() if name in PUBLIC else newly_come(as_olga if name in STAFF else as_alice)

    return caller


def body_of(answer: Any) -> str:
    return b"".join(answer).decode(errors="replace")


@pytest.fixture
def key_of_charlie(other_api: APIClient) -> APIClient:
    return other_api


def test_every_address_is_known() -> None:
    new = sorted({pattern.name for pattern in PATTERNS} - set(ADDRESSES))
    assert new == [], (
        "Add these to PAGES or REST in tests/portal/addresses.py, with the status that its owner gets by each method "
        "it allows, and the model of the id in it."
    )
    for pattern in PATTERNS:
        known = ADDRESSES[pattern.name]
        assert known.by_token or len(pattern.parameters) == (known.row is not None) + len(known.also), (
            f"{pattern.name} has the parameters {pattern.parameters}, and tests/portal/addresses.py gives it the row "
            f"{known.row}: name the model of its id there. An address has one id at most."
        )


def test_no_address_is_known_that_is_gone() -> None:
    assert set(ADDRESSES) - {pattern.name for pattern in PATTERNS} == set()


def test_an_address_allows_only_its_methods(caller_of: Callable[[str], Client]) -> None:
    for pattern in PATTERNS:
        known = ADDRESSES[pattern.name]
        url = reverse(pattern.name, kwargs=dict.fromkeys(pattern.parameters, uuid4()) | known.also)
        with undone():
            answer = ask(caller_of(pattern.name), NEVER_A_METHOD, url, {})
        assert answer.status_code == 405, (
            f"{pattern.name} answers to any method: put @require_safe, @require_POST or @require_http_methods on its "
            "view."
        )
        allowed = {method.strip() for method in answer["Allow"].split(",")}
        assert allowed & set(METHODS) == set(known.own), f"{pattern.name} allows {sorted(allowed)}"
        assert ("HEAD" in allowed) == ("GET" in allowed), f"{pattern.name}: load balancers and crawlers ask by HEAD"


@GROUPS
def test_head_is_answered_as_get_is(
    group: dict[str, Address], world: dict[type[Model], Model], caller_of: Callable[[str], Client]
) -> None:
    statuses = {}
    for name in (name for name, known in group.items() if "GET" in known.own):
        with undone():
            statuses[name] = caller_of(name).head(url_of(name, world)).status_code
    assert statuses == {name: known.own["GET"] for name, known in group.items() if "GET" in known.own}


@GROUPS
def test_the_owner_is_answered(
    group: dict[str, Address], world: dict[type[Model], Model], caller_of: Callable[[str], Client]
) -> None:
    """The counterpart of a stranger's 404, which would mean nothing if the owner got one too."""
    statuses = {}
    for name, known in group.items():
        for method in known.own:
            sent = {} if method == "GET" else filled(known.sent, world)
            with undone():
                statuses[method, name] = ask(caller_of(name), method, url_of(name, world), sent).status_code
    assert statuses == {(method, name): status for name, known in group.items() for method, status in known.own.items()}


@OF_TENANTS
def test_a_strangers_id_is_not_found(
    group: dict[str, Address],
    tenant: Tenant,
    world: dict[type[Model], Model],
    as_charlie: Client,
    key_of_charlie: APIClient,
) -> None:
    """By the very requests that answer the owner."""
    before = snapshot(tenant, world)
    for name, method in ((name, method) for name, known in group.items() if known.row for method in known.own):
        url, said = url_of(name, world), f"{method} {name}"
        with undone():
            answers = {
                who: ask(client, method, url, {} if method == "GET" else filled(group[name].sent, world))
                for who, client in {"nobody": Client(), "charlie": as_charlie, "key": key_of_charlie}.items()
            }
            statuses = {who: answer.status_code for who, answer in answers.items()}
            if name in REST:
                assert statuses == {"nobody": 401, "charlie": 404, "key": 404}, said
            else:
                # Pages know no keys.
                assert statuses == {"nobody": 302, "charlie": 404, "key": 302}, said
                assert all("/sign-in/" in answers[who]["Location"] for who in ("nobody", "key")), said
            assert not [who for who, answer in answers.items() if CANARY in body_of(answer)], said
            assert snapshot(tenant, world) == before, said


def test_a_strangers_id_in_a_body_is_not_found(
    tenant: Tenant, world: dict[type[Model], Model], key_of_charlie: APIClient
) -> None:
    before = snapshot(tenant, world)
    for name in WITH_ID_IN_BODY:
        with undone():
            answer = ask(key_of_charlie, "POST", url_of(name, world), filled(REST[name].sent, world))
            assert answer.status_code == 404, name
            assert snapshot(tenant, world) == before, name


@OF_TENANTS
def test_a_stranger_learns_and_changes_nothing(
    group: dict[str, Address],
    tenant: Tenant,
    world: dict[type[Model], Model],
    as_charlie: Client,
    key_of_charlie: APIClient,
) -> None:
    """Whatever method they try, and with every id of the other tenant under every name it might be asked for."""
    ids = filled(EVERY_ID, world) | {"recipe": "style", "grade": "5"}
    before = snapshot(tenant, world)
    for name in group:
        url = url_of(name, world)
        with undone():
            strangers = {"nobody": Client(), "charlie": newly_come(as_charlie), "key": key_of_charlie}
            for who, client in strangers.items():
                for method in (*METHODS, "HEAD", "OPTIONS"):
                    answer = ask(client, method, url, ids)
                    said = f"{who} {method} {url}: {answer.status_code}"
                    assert answer.status_code < 500, said
                    assert CANARY not in body_of(answer), said
            assert snapshot(tenant, world) == before, name


def test_a_row_of_the_operator_is_for_every_tenant(world: dict[type[Model], Model], as_charlie: Client) -> None:
    for name in OPERATORS:
        assert as_charlie.get(url_of(name, world)).status_code == 200, name
        assert Client().get(url_of(name, world)).status_code == 401, name


def test_a_page_of_the_operator_is_found_by_nobody_else(
    tenant: Tenant,
    world: dict[type[Model], Model],
    as_alice: Client,
    as_charlie: Client,
    key_of_charlie: APIClient,
) -> None:
    """Not even with the requests that answer the operator."""
    before = snapshot(tenant, world)
    for name, method in ((name, method) for name, known in STAFF.items() for method in known.own):
        url, said = url_of(name, world), f"{method} {name}"
        sent = {} if method == "GET" else STAFF[name].sent
        with undone():
            for client, status in ((Client(), 302), (as_alice, 404), (as_charlie, 404), (key_of_charlie, 302)):
                answer = ask(client, method, url, filled(sent, world))
                assert answer.status_code == status, said
                assert CANARY not in body_of(answer), said
            assert snapshot(tenant, world) == before, said
