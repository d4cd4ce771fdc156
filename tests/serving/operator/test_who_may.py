"""Only operators open their pages; nobody else learns that there are any."""

from collections.abc import Callable

import pytest
from django.test import Client
from rest_framework.test import APIClient

from serving.models import Endpoint, EndpointState
from tenants.keys.services import create_api_key
from tenants.models import Tenant, User
from tenants.people.services import add_member
from tenants.permissions import Role
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db

LIST = "/operator/endpoints/"


def addresses(endpoint: Endpoint) -> list[tuple[str, str]]:
    one = f"{LIST}{endpoint.id}/"
    pages = [("get", url) for url in (LIST, f"{LIST}new/", one, f"{one}adapters/", f"{one}health/", f"{one}change/")]
    writes = ("new/", f"{endpoint.id}/change/", f"{endpoint.id}/create-again/", f"{endpoint.id}/default/",
              f"{endpoint.id}/delete/", f"{endpoint.id}/move/")  # fmt: skip
    return [*pages, *(("post", LIST + url) for url in writes)]


def statuses(client: Client, endpoint: Endpoint) -> set[int]:
    return {getattr(client, method)(url).status_code for method, url in addresses(endpoint)}


def test_members_of_any_role_find_no_such_page(
    as_alice: Client, as_bob: Client, as_rita: Client, as_charlie: Client, shared: Endpoint
) -> None:
    for client in (as_alice, as_bob, as_rita, as_charlie):
        assert statuses(client, shared) == {404}
    page, nothing = (as_alice.get(url).content.decode().split("<main")[1] for url in (LIST, "/operator/nothing/"))
    assert page == nothing, "it looks as if there were none"
    assert "Operate" not in as_alice.get("/").content.decode()
    shared.refresh_from_db()
    assert shared.state == EndpointState.IN_SERVICE


def test_strangers_and_keys_sign_in_first(client: Client, api: APIClient, shared: Endpoint) -> None:
    assert statuses(client, shared) == statuses(api, shared) == {302}
    assert client.get(LIST)["Location"].startswith("/sign-in/")


def test_a_key_lends_no_operators_rights(as_olga: Client, tenant: Tenant, olga: User, shared: Endpoint) -> None:
    with tenant_scope(tenant.id):
        _, token = create_api_key(tenant=tenant, name="Olga’s", created_by=olga)
    assert as_olga.get(LIST, headers={"Authorization": f"Bearer {token}"}).status_code == 404


@pytest.mark.parametrize("change", [{"is_staff": False}, {"is_active": False}], ids=["no operator", "deactivated"])
def test_who_is_no_operator_any_more_is_out_at_once(
    as_olga: Client, olga: User, shared: Endpoint, change: dict[str, bool]
) -> None:
    assert as_olga.get(LIST).status_code == 200
    User.objects.filter(id=olga.id).update(**change)
    assert statuses(as_olga, shared) == ({404} if "is_staff" in change else {302})


def test_an_operator_needs_no_organisation(as_olga: Client, shared: Endpoint) -> None:
    page = as_olga.get(LIST).content.decode()
    assert 'aria-current="page"' in page
    assert "Datasets" not in page
    assert f'href="{LIST}"' in as_olga.get("/").content.decode(), "the way there, where there is nothing else"


def test_a_member_who_runs_the_site_has_both(
    as_olga: Client, olga: User, tenant: Tenant, shared: Endpoint, promoted: Callable[..., None], other_tenant: Tenant
) -> None:
    with tenant_scope(tenant.id):
        add_member(tenant=tenant, user=olga, role=Role.REVIEWER)
    promoted(other_tenant, "tickets", 1)
    page = as_olga.get(f"{LIST}{shared.id}/").content.decode()
    assert "Reviews" in page
    assert "Cedar Care" in page, "her own organisation limits her reviews, not these pages"
