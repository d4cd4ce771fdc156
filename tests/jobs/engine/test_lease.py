"""One worker at a time steps a job, for as long as it takes; whoever lost the lease writes nothing."""

import datetime as dt
import time
from collections.abc import Callable

import pytest
from django.db import connection

from jobs.compute.events import record_events
from jobs.engine import lease
from jobs.engine.lease import LeaseLost, claim, renewed, write
from jobs.models import Job, JobEvent
from jobs.queue.admission import admit
from tenants.scope import tenant_scope

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def claimed(start_toy: Callable[..., Job], monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.setattr(lease, "LEASE", dt.timedelta(seconds=0.5))
    monkeypatch.setattr(lease, "RENEWED_EVERY_SECONDS", 0.1)
    start_toy()
    [admitted] = admit()
    job = claim(admitted.id)
    assert job is not None
    return job


def test_a_long_step_keeps_its_lease(claimed: Job) -> None:
    with tenant_scope(claimed.tenant_id), renewed(claimed):
        time.sleep(1.0)
        assert claim(claimed.id) is None
    time.sleep(0.6)
    assert claim(claimed.id) is not None, "nobody renews it any more"


def test_a_renewal_that_loses_its_connection_is_made_again(claimed: Job) -> None:
    with tenant_scope(claimed.tenant_id), renewed(claimed):
        wait_for_renewal(claimed)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
            )
            assert cursor.rowcount
        wait_for_renewal(claimed)
        wait_for_renewal(claimed)


def wait_for_renewal(job: Job) -> None:
    """Returns once the lease ends later than it did at first."""
    first, deadline = Job.objects.get(id=job.id).lease_expires_at, time.monotonic() + 30
    while Job.objects.get(id=job.id).lease_expires_at == first:
        assert time.monotonic() < deadline, "nobody renews it"
        time.sleep(0.02)


def test_a_late_writer_writes_nothing(claimed: Job) -> None:
    time.sleep(0.6)
    assert claim(claimed.id) is not None
    event = {"type": "metric", "seq": 1, "t": 0.0, "step": 1, "total": 3, "fraction": 0.3}
    with tenant_scope(claimed.tenant_id):
        with pytest.raises(LeaseLost):
            write(claimed, external_name="late")
        with pytest.raises(LeaseLost):
            record_events(job=claimed, events=[event], cursor=99)
        job = Job.objects.get(id=claimed.id)
        assert (job.external_name, job.events_cursor) == ("", 0)
        assert not JobEvent.objects.exists()
