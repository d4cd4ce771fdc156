"""API keys in the browser: made, shown once, revoked."""

import re

from django.test import Client
from django.urls import reverse

from tenants.keys.services import authenticate_api_key, create_api_key
from tenants.models import ApiKey, Tenant, User
from tenants.people.services import add_member
from tenants.permissions import Role
from tenants.scope import tenant_scope

URL = reverse("keys")
TOKEN = re.compile(r"apk_[A-Za-z0-9]{12}_[A-Za-z0-9]{40}")


def test_a_new_key_works_and_is_shown_once(as_alice: Client, tenant: Tenant) -> None:
    made = as_alice.post(URL, {"name": "Ticket system"})
    assert (made.status_code, made["Location"]) == (302, URL)
    response = as_alice.get(URL)
    found = TOKEN.search(response.content.decode())
    assert found is not None
    key = authenticate_api_key(found[0])
    assert key is not None
    assert (key.tenant, key.name) == (tenant, "Ticket system")
    assert response.headers["Cache-Control"] == "no-store"
    later = as_alice.get(URL).content.decode()
    assert "Ticket system" in later
    assert found[0] not in later
    assert found[0] not in str(dict(as_alice.session))


def test_a_reload_makes_no_second_key(as_alice: Client, tenant: Tenant) -> None:
    as_alice.post(URL, {"name": "Ticket system"}, follow=True)
    for _ in range(3):
        assert TOKEN.search(as_alice.get(URL).content.decode()) is None
    with tenant_scope(tenant.id):
        assert ApiKey.objects.count() == 1


def test_a_new_key_is_not_shown_in_another_organisation(
    as_alice: Client, alice: User, tenant: Tenant, other_tenant: Tenant
) -> None:
    with tenant_scope(other_tenant.id):
        add_member(tenant=other_tenant, user=alice, role=Role.MEMBER)
    as_alice.post(URL, {"name": "Ticket system"})
    as_alice.post(reverse("switch-tenant"), {"tenant": str(other_tenant.id)})
    assert TOKEN.search(as_alice.get(URL).content.decode()) is None


def test_a_key_needs_a_name(as_alice: Client, tenant: Tenant) -> None:
    page = as_alice.post(URL, {"name": ""}).content.decode()
    assert 'id="id_name_error"' in page
    assert 'aria-invalid="true"' in page
    with tenant_scope(tenant.id):
        assert not ApiKey.objects.exists()


def test_a_revoked_key_is_refused(as_bob: Client, tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        key, token = create_api_key(tenant=tenant, name="Old laptop")
    page = as_bob.post(reverse("revoke-key", args=[key.id]), follow=True).content.decode()
    assert "API key revoked." in page
    assert "Revoked" in page
    assert authenticate_api_key(token) is None


def test_a_name_is_text_and_never_markup(as_alice: Client) -> None:
    page = as_alice.post(URL, {"name": "<b onclick=x>"}, follow=True).content.decode()
    assert "<b onclick" not in page
    assert "&lt;b onclick=x&gt;" in page


def test_another_tenant_neither_sees_nor_revokes_it(as_charlie: Client, tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        key, token = create_api_key(tenant=tenant, name="Ticket system")
    assert "Ticket system" not in as_charlie.get(URL).content.decode()
    assert as_charlie.post(reverse("revoke-key", args=[key.id])).status_code == 404
    assert authenticate_api_key(token) is not None


def test_a_reviewer_makes_no_keys(as_rita: Client) -> None:
    assert as_rita.post(URL, {"name": "Mine"}).status_code == 403
