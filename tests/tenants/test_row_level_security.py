"""The database itself keeps tenants apart, and every table of theirs takes part."""

import contextlib

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from jobs.models import Job, JobEvent
from tenants.isolation import TenantForeignKey, TenantOneToOneField
from tenants.models import Tenant, TenantModel, TenantRow
from tenants.scope import NoActiveTenant, system_scope, tenant_scope

pytestmark = pytest.mark.django_db


def job(tenant: Tenant) -> Job:
    with tenant_scope(tenant.id):
        return Job.objects.create(tenant=tenant, kind="test", title="a job")


def raw_count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def tenant_tables() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if issubclass(model, TenantRow)]


def test_a_query_without_a_tenant_raises(tenant: Tenant) -> None:
    with pytest.raises(NoActiveTenant):
        Job.objects.count()


def test_raw_sql_sees_the_active_tenant_only(tenant: Tenant, other_tenant: Tenant) -> None:
    job(tenant), job(other_tenant), job(other_tenant)
    assert raw_count("jobs_job") == 0
    with tenant_scope(tenant.id):
        assert raw_count("jobs_job") == 1
        with tenant_scope(other_tenant.id):
            assert raw_count("jobs_job") == 2
        assert raw_count("jobs_job") == 1
    with system_scope():
        assert raw_count("jobs_job") == 3


def test_the_setting_is_restored_after_a_rolled_back_savepoint(tenant: Tenant, other_tenant: Tenant) -> None:
    job(tenant)
    with tenant_scope(tenant.id):
        with contextlib.suppress(ZeroDivisionError), transaction.atomic(), tenant_scope(other_tenant.id):
            assert raw_count("jobs_job") == 0
            raise ZeroDivisionError
        assert raw_count("jobs_job") == 1


def test_a_row_cannot_be_written_for_another_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(tenant.id), pytest.raises(Exception, match="row-level security"), transaction.atomic():
        Job.objects.create(tenant=other_tenant, kind="test", title="not mine")


def test_a_row_cannot_point_at_another_tenants_row(tenant: Tenant, other_tenant: Tenant) -> None:
    foreign = job(other_tenant)
    with tenant_scope(tenant.id), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError), transaction.atomic():
            JobEvent.objects.create(job_id=foreign.id, attempt=1, seq=1, at=foreign.created_at, type="message")


def test_the_sites_role_owns_nothing_and_bypasses_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, False)
        cursor.execute("SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = current_user")
        assert cursor.fetchone() == (0,)


def test_every_table_with_a_tenant_is_isolated() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity,"
            " (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid)"
            " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'"
            " WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace"
        )
        rows = {name: tuple(rest) for name, *rest in cursor.fetchall()}
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits")
        partitions = {name for (name,) in cursor.fetchall()}
    assert set(rows) - partitions == {model._meta.db_table for model in tenant_tables()}
    assert {name: row for name, row in rows.items() if row != (True, True, 1)} == {}


@pytest.mark.parametrize("model", [pytest.param(m, id=m.__name__) for m in tenant_tables()])
def test_every_key_between_tenant_tables_carries_the_tenant(model: type[models.Model]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND conrelid = %s::regclass",
            [model._meta.db_table],
        )
        definitions = [row[0] for row in cursor.fetchall()]
    for field in model._meta.local_fields:
        target = field.related_model
        if isinstance(target, type) and issubclass(target, TenantModel):
            assert isinstance(field, TenantForeignKey | TenantOneToOneField), f"{field} can point at another tenant"
            assert any(d.startswith(f"FOREIGN KEY (tenant_id, {field.column})") for d in definitions), field
