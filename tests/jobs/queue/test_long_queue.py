"""Ten thousand queued jobs cost an admission no more than ten."""

import os
from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from jobs.models import Job
from jobs.queue.admission import admit
from tenants.models import Tenant
from tenants.scope import system_scope, tenant_scope

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

QUEUED = 10_000


@pytest.fixture
def long_queue(tenant: Tenant) -> Iterator[None]:
    with tenant_scope(tenant.id):
        Job.objects.bulk_create(
            [Job(tenant=tenant, kind="toy", title="toy", backend="default") for _ in range(QUEUED)], batch_size=1000
        )
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute("ANALYZE jobs_job")
        yield


def rows_read() -> int:
    """Rows of the jobs' table that this transaction has looked at."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = %s", [Job._meta.db_table]
        )
        return int(cursor.fetchone()[0])


@pytest.mark.usefixtures("long_queue")
def test_an_admission_reads_the_heads_of_the_queues_only(
    start_toy: Callable[..., Job], tenant: Tenant, other_tenant: Tenant
) -> None:
    newcomer = start_toy(other_tenant)
    with system_scope(), transaction.atomic(), CaptureQueriesContext(connection) as queries:
        before = rows_read()
        admitted = admit()
        read = rows_read() - before
    assert {job.tenant_id for job in admitted} == {tenant.id, other_tenant.id}
    assert newcomer.id in {job.id for job in admitted}
    assert read < 300, f"{read} rows read to admit {len(admitted)}"
    assert len(queries) < 30
