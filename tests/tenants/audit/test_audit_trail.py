"""What is done in a tenant is recorded with it, and nobody can change the record without `verify_audit` saying so."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from corpora.models import Dataset
from tenants.audit.actor import Actor, acting_as
from tenants.audit.services import record_event
from tenants.audit.verification import verify_trail
from tenants.keys.services import create_api_key
from tenants.models import AuditEvent, AuditHead, Tenant, User
from tenants.people.services import create_tenant
from tenants.scope import tenant_scope
from tests.examples import examples


def trail() -> list[tuple[str, str]]:
    return list(AuditEvent.objects.order_by("sequence").values_list("action", "target_name"))


@pytest.mark.django_db
def test_an_event_says_who_what_how_and_in_which_request(as_bob: Client, bob: User, in_tenant: Tenant) -> None:
    dataset = Dataset.objects.create(tenant=in_tenant, name="Contracts")
    as_bob.post(
        f"/datasets/{dataset.id}/edit/", {"name": "Leases", "description": ""}, headers={"X-Request-ID": "req-7"}
    )
    event = AuditEvent.objects.get(action="dataset.changed")
    assert (event.actor_kind, event.actor_id, event.actor_name) == ("person", str(bob.pk), "bob@example.com")
    assert (event.target_type, event.target_id, event.target_name) == ("corpora.dataset", str(dataset.id), "Leases")
    assert (event.before["name"], event.after["name"], event.request_id) == ("Contracts", "Leases", "req-7")


@pytest.mark.django_db
def test_a_key_and_the_site_act_under_their_own_names(api: APIClient, in_tenant: Tenant) -> None:
    dataset = Dataset.objects.create(tenant=in_tenant, name="Contracts")
    assert api.delete(f"/api/v1/datasets/{dataset.id}/").status_code == 204
    deleted = AuditEvent.objects.get(action="dataset.deleted")
    assert (deleted.actor_kind, deleted.actor_name) == ("api_key", "test")
    assert AuditEvent.objects.get(action="tenant.created").actor_kind == "site"


@pytest.mark.django_db
def test_an_ill_formed_request_id_is_replaced(as_bob: Client) -> None:
    answered = as_bob.get("/datasets/", headers={"X-Request-ID": "a b"})["X-Request-ID"]
    assert len(answered) == 32
    assert as_bob.get("/datasets/", headers={"X-Request-ID": "abc:1"})["X-Request-ID"] == "abc:1"


@pytest.mark.django_db
def test_no_secret_is_recorded(in_tenant: Tenant) -> None:
    _, token = create_api_key(tenant=in_tenant, name="Integration")
    secret = token.rsplit("_", 1)[1]
    created = AuditEvent.objects.get(action="api_key.created")
    assert secret not in f"{created.before}{created.after}{created.target_name}"


@pytest.mark.django_db
def test_what_is_rolled_back_leaves_no_event(in_tenant: Tenant) -> None:
    before = trail()
    with transaction.atomic():
        create_api_key(tenant=in_tenant, name="Gone")
        transaction.set_rollback(True)
    assert trail() == before
    assert verify_trail(in_tenant).problems == ()


@pytest.mark.django_db
def test_tenants_have_trails_of_their_own(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant.id):
        assert trail() == [("tenant.created", "Cedar Care")]


@pytest.mark.django_db
@pytest.mark.parametrize("statement", ["UPDATE tenants_auditevent SET action = 'x'", "DELETE FROM tenants_auditevent"])
def test_the_database_refuses_to_change_an_event(in_tenant: Tenant, statement: str) -> None:
    with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text('aé "\\'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.django_db
@given(after=st.dictionaries(st.text("abc"), json_values, max_size=3))
@hypothesis_settings(
    max_examples=examples(100), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_whatever_was_recorded_reads_back_intact(in_tenant: Tenant, after: dict[str, Any]) -> None:
    with acting_as(Actor("operator", name="root")):
        record_event("test.recorded", in_tenant, after=after)
    assert verify_trail(in_tenant).problems == ()


@pytest.fixture
def stored(transactional_db: None) -> Tenant:
    owner = User.objects.create_user("olga@example.com")
    tenant = create_tenant(name="Alder Law", owner=owner)
    with tenant_scope(tenant.id):
        for number in range(4):
            create_api_key(tenant=tenant, name=f"Key {number}")
    return tenant


@pytest.fixture
def as_database_owner() -> Iterator[Callable[[str], object]]:
    """Runs SQL as somebody who may do all with the tables, past trigger and policies."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute("SET portal.system = 'on'")
        owner.execute("ALTER TABLE tenants_auditevent DISABLE TRIGGER append_only")
        owner.execute("ALTER TABLE tenants_auditevent DROP CONSTRAINT audit_event_once")
        try:
            yield lambda statement: owner.execute(statement)
        finally:
            owner.execute("TRUNCATE tenants_auditevent")
            owner.execute("ALTER TABLE tenants_auditevent ADD CONSTRAINT audit_event_once UNIQUE (tenant_id, sequence)")
            owner.execute("ALTER TABLE tenants_auditevent ENABLE TRIGGER append_only")


TAMPERED = [
    ("UPDATE {events} SET actor_name = 'eve' WHERE sequence = 3", "event 3 (api_key.created, row {3}) was changed"),
    (
        "UPDATE {events} SET at = at + interval '1 s' WHERE sequence = 2",
        "event 2 (api_key.created, row {2}) was changed",
    ),
    (
        "UPDATE {events} SET sequence = CASE sequence WHEN 2 THEN 3 ELSE 2 END WHERE sequence IN (2, 3)",
        "row {3}) was changed",
    ),
    ("DELETE FROM {events} WHERE sequence = 3", "event 3 is missing"),
    ("DELETE FROM {events} WHERE sequence IN (2, 3)", "events 2 to 3 are missing"),
    ("DELETE FROM {events} WHERE sequence = 5", "event 5 is missing at the end"),
    ("UPDATE {heads} SET sequence = 4", "the record of the last event does not match it"),
]


@pytest.mark.parametrize(("statement", "problem"), TAMPERED)
def test_the_command_names_what_was_tampered_with(
    stored: Tenant, as_database_owner: Callable[[str], object], statement: str, problem: str
) -> None:
    with tenant_scope(stored.id):
        rows = {event.sequence: event.id for event in AuditEvent.objects.all()}
    call_command("verify_audit", stdout=StringIO())
    as_database_owner(statement.format(events="tenants_auditevent", heads="tenants_audithead"))
    out = StringIO()
    with pytest.raises(CommandError, match="1 of 1 trails"):
        call_command("verify_audit", stdout=out)
    for number, row in rows.items():
        problem = problem.replace(f"{{{number}}}", str(row))
    assert problem in out.getvalue()


def test_a_shortened_trail_shows_against_what_was_noted(
    stored: Tenant, as_database_owner: Callable[[str], object]
) -> None:
    out = StringIO()
    call_command("verify_audit", stdout=out)
    noted = out.getvalue().split()[0]
    as_database_owner("DELETE FROM tenants_auditevent WHERE sequence = 5")
    with tenant_scope(stored.id):
        last = AuditEvent.objects.get(sequence=4)
        AuditHead.objects.update(sequence=4, hash=last.hash)
    call_command("verify_audit", stdout=StringIO())
    with pytest.raises(CommandError):
        call_command("verify_audit", "--expect", noted, stdout=out)
    assert "event 5 is not the one noted earlier" in out.getvalue()


def test_writers_at_once_leave_one_chain(stored: Tenant) -> None:
    def write(number: int) -> None:
        try:
            with tenant_scope(stored.id):
                create_api_key(tenant=stored, name=f"Key {number}")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(24)))
    found = verify_trail(stored)
    assert (found.sequence, found.problems) == (29, ())
