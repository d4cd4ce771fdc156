"""No address of the site, whoever calls it and however, gives away or changes another tenant's row.

A new address is tested by itself; one whose parameter this file cannot fill fails the test until
`world.ADDRESSED` says which model it means.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.core.serializers import serialize
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from rest_framework.test import APIClient

from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.portal.world import ADDRESSED, CANARY

METHODS = ("get", "post", "put", "patch", "delete")
PUBLIC = {"sign-in", "sign-out", "health", "openapi", "api-docs", "api-root"}
OPERATORS = {"base-model-detail", "endpoint-detail"}
"""Rows that are the operator's, which every tenant may read."""


def addresses(patterns: list[Any] | None = None, namespace: str = "") -> Iterator[tuple[str, tuple[str, ...]]]:
    """(full name, parameter names) of every named address."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from addresses(pattern.url_patterns, inner)
        elif isinstance(pattern, URLPattern):
            parameters = tuple(p for p in pattern.pattern.regex.groupindex if p not in {"format", "drf_format_suffix"})
            assert pattern.name, f"{pattern.pattern} has no name"
            if "format" not in pattern.pattern.regex.groupindex:
                yield f"{namespace}{pattern.name}", parameters


ALL = sorted({(name, parameters) for name, parameters in addresses() if name not in PUBLIC | OPERATORS})


def address(name: str, parameters: tuple[str, ...], world: dict[type[Model], Model]) -> str:
    kwargs = {}
    namespace, _, local = name.rpartition(":")
    for parameter in parameters:
        basename = local if local in ADDRESSED else local.rsplit("-", 1)[0]
        while parameter == "pk" and basename not in ADDRESSED and "-" in basename:
            basename = basename.rsplit("-", 1)[0]
        known = (f"{namespace}:{parameter}", parameter, basename)
        model = next((ADDRESSED[key] for key in known if key in ADDRESSED), None)
        assert model is not None, f"{name}: world.ADDRESSED does not say what {parameter!r} is"
        kwargs[parameter] = world[model].pk
    return reverse(name, kwargs=kwargs)


def call(client: Client, method: str, url: str, world: dict[type[Model], Model]) -> Any:
    # Every id of the other tenant, under every name it might be asked for, in query and body.
    ids = {name.split(":")[-1].replace("-", "_").removesuffix("_id"): str(world[m].pk) for name, m in ADDRESSED.items()}
    ids |= {"version": str(world[ADDRESSED["adapter-version"]].pk), "recipe": "style", "grade": "5"}
    if method == "get":
        return client.get(url, ids)
    if url.startswith("/api/"):
        return client.generic(method.upper(), url, json.dumps(ids), content_type="application/json")
    return getattr(client, method)(url, ids)


def snapshot(tenant: Tenant, models: Iterable[type[Model]]) -> list[str]:
    """Every row of the tenant."""
    with tenant_scope(tenant.id):
        return [serialize("json", model._base_manager.order_by("pk")) for model in models]


@pytest.fixture
def strangers(as_charlie: Client, other_api: APIClient) -> dict[str, Client]:
    return {"nobody": Client(), "charlie": as_charlie, "charlie's key": other_api}


@pytest.mark.parametrize(("name", "parameters"), ALL, ids=[name for name, _ in ALL])
def test_a_stranger_learns_and_changes_nothing(
    name: str,
    parameters: tuple[str, ...],
    tenant: Tenant,
    world: dict[type[Model], Model],
    strangers: dict[str, Client],
) -> None:
    url = address(name, parameters, world)
    before = snapshot(tenant, world)
    for who, client in strangers.items():
        for method in METHODS:
            response = call(client, method, url, world)
            said = f"{who} {method} {url}: {response.status_code}"
            assert response.status_code < 500, said
            if parameters:
                assert response.status_code in {302, 400, 401, 403, 404, 405}, said
                assert response.status_code != 302 or "/sign-in/" in response["Location"], said
            assert CANARY not in b"".join(response).decode(errors="replace"), said
    assert snapshot(tenant, world) == before


@pytest.mark.parametrize(("name", "parameters"), ALL, ids=[name for name, _ in ALL])
def test_the_owner_sees_a_page(
    name: str, parameters: tuple[str, ...], world: dict[type[Model], Model], as_alice: Client
) -> None:
    """The counterpart: the addresses are right, so a stranger's 404 means something."""
    response = as_alice.get(address(name, parameters, world))
    assert response.status_code in {200, 286, 302, 405}, response.status_code
