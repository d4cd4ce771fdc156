"""API keys: shown once, kept as a keyed hash, refused when revoked or expired."""

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from rest.errors import NotFound
from tenants.keys import tokens
from tenants.keys.services import authenticate_api_key, create_api_key, revoke_api_key
from tenants.models import ApiKey, Tenant
from tenants.scope import tenant_scope


@pytest.fixture
def key(tenant: Tenant) -> tuple[ApiKey, str]:
    with tenant_scope(tenant.id):
        return create_api_key(tenant=tenant, name="ticket system")


def test_a_key_names_its_tenant(key: tuple[ApiKey, str], tenant: Tenant) -> None:
    found = authenticate_api_key(key[1])
    assert found is not None
    assert found.tenant == tenant
    assert ApiKey._base_manager.filter(secret_hash__contains=key[1].split("_")[2]).count() == 0


def test_a_revoked_key_is_refused(key: tuple[ApiKey, str], tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        revoke_api_key(key_id=key[0].id)
        revoke_api_key(key_id=key[0].id)
    assert authenticate_api_key(key[1]) is None


def test_another_tenants_key_cannot_be_revoked(key: tuple[ApiKey, str], other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant.id), pytest.raises(NotFound):
        revoke_api_key(key_id=key[0].id)
    assert authenticate_api_key(key[1]) is not None


def test_an_expired_key_is_refused(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        past = timezone.now() - dt.timedelta(seconds=1)
        _, token = create_api_key(tenant=tenant, name="old", expires_at=past)
    assert authenticate_api_key(token) is None


def test_a_wrong_secret_is_refused(key: tuple[ApiKey, str]) -> None:
    assert authenticate_api_key(key[1][:-1] + ("a" if key[1][-1] != "a" else "b")) is None


@given(st.text(max_size=200))
def test_no_text_is_mistaken_for_a_token(text: str) -> None:
    parts = tokens.split_token(text)
    assert parts is None or text == f"{tokens.PREFIX}_{parts[0]}_{parts[1]}"


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer apk_x_y", "Bearer \x00", "Basic YTpi", "bearer é"])
def test_a_bad_header_is_401_and_nothing_else(db: None, header: str) -> None:
    response = Client().get("/api/v1/jobs/", headers={"Authorization": header})
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
