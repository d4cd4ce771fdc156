"""Reading CloudWatch into rows by hour: nothing is counted twice, gaps stay gaps, and it goes on where it was."""

import datetime as dt
import itertools
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from metering.backends.base import ObservedHour, Reading
from metering.backends.cloudwatch import CloudWatch
from metering.models import ObservedEndpoint, ObservedProgress, ObservedSource, ObservedUsage
from metering.observed.services import SourceReading, read_observed
from serving.models import Deployment, DeploymentState, Endpoint, EndpointState
from standin.faults import Faults
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.metering.observed.conftest import Cloud, Deploy, counted

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
Calls = list[tuple[Sequence[str], dt.timedelta]]


def take_off(deployment: Deployment, at: dt.datetime) -> None:
    with tenant_scope(deployment.tenant_id):
        Deployment.objects.filter(id=deployment.id).update(state=DeploymentState.DELETED, deleted_at=at)


def delete_endpoint(deployment: Deployment, at: dt.datetime) -> None:
    """With its live adapters, which keep their rows."""
    Endpoint.objects.filter(id=deployment.endpoint_id).update(state=EndpointState.DELETED, state_since=at)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """The names and the length of the window of each reading of components."""
    made: Calls = []
    original = CloudWatch.components

    def spy(
        self: CloudWatch, names: Sequence[str], start: dt.datetime, end: dt.datetime
    ) -> Mapping[str, Reading[ObservedHour]]:
        made.append((names, end - start))
        return original(self, names, start, end)

    monkeypatch.setattr(CloudWatch, "components", spy)
    return made


def test_an_hour_is_replaced_and_never_added_to(cloud: Cloud, deploy: Deploy, tenant: Tenant) -> None:
    deployment, start = deploy(tenant), cloud.now
    cloud.answer(deployment, count=3, failed=1, ms=200.0)
    cloud.wait(minutes=10)
    for _ in range(3):
        cloud.read()
        assert counted() == [(start, 3, 1, 200.0)]
    cloud.answer(deployment, count=2)
    cloud.wait(minutes=10)
    cloud.read()
    assert counted() == [(start, 5, 1, 200.0)]
    cloud.wait(hours=2)
    cloud.answer(deployment, ms=50.0)
    cloud.wait(minutes=5)
    cloud.read()
    assert counted() == [(start, 5, 1, 200.0), (start + 2 * HOUR, 1, 0, 50.0)], "an hour without data is no row"
    with tenant_scope(tenant.id):
        row = ObservedUsage.objects.earliest("hour")
        assert (row.deployment, row.read_at, row.errors_4xx, row.overhead_ms) == (deployment.name, cloud.now, 0, 2.0)
    source = ObservedSource.objects.get()
    assert (source.read_at, source.error_code, source.holder) == (cloud.now, "", None)


def test_rows_are_their_tenant_s(cloud: Cloud, deploy: Deploy, tenant: Tenant, other_tenant: Tenant) -> None:
    ours, theirs = deploy(tenant), deploy(other_tenant)
    cloud.answer(ours, count=2)
    cloud.answer(theirs, count=5)
    cloud.wait(minutes=5)
    cloud.read()
    for owner, requests in ((tenant, 2), (other_tenant, 5)):
        with tenant_scope(owner.id):
            assert ObservedUsage.objects.get().requests == requests


def test_data_that_comes_late_is_found(cloud: Cloud, deploy: Deploy, tenant: Tenant) -> None:
    deployment, start = deploy(tenant), cloud.now
    cloud.answer(deployment)
    cloud.faults.late_seconds = 2 * 86_400.0
    for _ in range(3):
        cloud.wait(hours=1)
        cloud.read()
    assert counted() == []
    cloud.wait(days=2)
    cloud.read()
    assert counted() == [(start, 1, 0, 100.0)]


def test_a_metric_that_appears_after_two_days(cloud: Cloud, deploy: Deploy, tenant: Tenant) -> None:
    deployment, start = deploy(tenant), cloud.now
    cloud.answer(deployment, count=4)
    cloud.faults.unpublished = {"ModelLatency", "Invocation5XXErrors"}
    cloud.wait(hours=1)
    cloud.read()
    assert counted() == [(start, 4, None, None)]
    cloud.wait(days=2)
    cloud.faults.unpublished = set()
    cloud.read()
    assert counted() == [(start, 4, 0, 100.0)]


def test_every_hour_is_read_once_more_after_two_weeks(cloud: Cloud, deploy: Deploy, tenant: Tenant) -> None:
    deployment, start = deploy(tenant), cloud.now
    cloud.answer(deployment)
    cloud.faults.gaps = [(start.timestamp(), start.timestamp() + 3600)]
    cloud.wait(hours=4)
    cloud.read()
    cloud.wait(days=4)
    cloud.faults.gaps = []
    cloud.read()
    cloud.wait(days=9)
    cloud.read()
    assert counted() == []
    cloud.wait(days=1, hours=1)
    cloud.read()
    assert counted() == [(start, 1, 0, 100.0)]


def test_history_is_imported_at_the_first_look(
    cloud: Cloud, deploy: Deploy, tenant: Tenant, other_tenant: Tenant, calls: Calls
) -> None:
    first, start = deploy(tenant), cloud.now
    cloud.answer(first)
    cloud.wait(days=100)
    second = deploy(other_tenant)
    for days in (1, 20, 60, 300):
        cloud.answer(first, count=2)
        cloud.answer(second)
        cloud.wait(days=days)
    cloud.read()
    found = counted()
    assert found[0][0] > start, "it was older than CloudWatch keeps"
    assert (len(found), sum(requests or 0 for _, requests, *_ in found)) == (8, 12)
    assert len(calls) == 17, "both are read together, 30 days at a time"
    calls.clear()
    cloud.read()
    assert [length for _, length in calls] == [4 * HOUR]
    assert counted() == found


def test_an_import_that_was_killed_goes_on(
    cloud: Cloud, deploy: Deploy, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = deploy(tenant)
    for _ in range(12):
        cloud.answer(deployment)
        cloud.wait(days=15)
    original, made = CloudWatch.components, list[dt.datetime]()

    def dying(self: CloudWatch, names: Sequence[str], start: dt.datetime, end: dt.datetime) -> Any:
        found = original(self, names, start, end)
        made.append(start)
        if len(made) % 3 == 0:
            raise SystemExit("killed")
        return found

    monkeypatch.setattr(CloudWatch, "components", dying)
    deaths, known = 0, 0
    while deaths < 20:
        try:
            cloud.read()
        except SystemExit:
            deaths += 1
        else:
            break
        assert len(counted()) >= known, "what was read stays"
        known = len(counted())
    assert deaths > 2
    assert [requests for _, requests, *_ in counted()] == [1] * 12
    assert len(set(made)) < len(made) <= len(set(made)) + 3 * deaths


def test_a_short_run_reads_the_last_hours_first_and_the_next_goes_on(
    cloud: Cloud, deploy: Deploy, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment, start = deploy(tenant), cloud.now
    cloud.answer(deployment)
    cloud.wait(days=90)
    cloud.answer(deployment, count=2)
    cloud.wait(minutes=5)
    # Time for the last hours and one step of older ones in each run.
    is_late = itertools.cycle([False, False, True])
    monkeypatch.setattr(SourceReading, "_is_late", property(lambda self: next(is_late)))
    cloud.read()
    assert [requests for _, requests, *_ in counted()] == [1, 2]
    read_to = ObservedProgress.objects.get(is_endpoint=False).read_to
    assert (read_to, ObservedSource.objects.get().read_at) == (start + dt.timedelta(days=30), None)
    for _ in range(10):
        cloud.read()
    assert [requests for _, requests, *_ in counted()] == [1, 2]
    assert ObservedProgress.objects.get(is_endpoint=False).read_to == cloud.now.replace(minute=0)


def test_without_time_nothing_is_read(cloud: Cloud, deploy: Deploy, tenant: Tenant, calls: Calls) -> None:
    deploy(tenant)
    cloud.read(seconds=0.0)
    assert calls == []
    assert ObservedSource.objects.get().read_at is None


@pytest.mark.parametrize(
    ("faults", "code"),
    [(Faults(throttled=1.0), "platform:aws_throttled"), (Faults(denied={"monitoring"}), "platform:aws_denied")],
)
def test_what_cannot_be_read_is_told_and_read_the_next_time(
    cloud: Cloud, deploy: Deploy, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, faults: Faults, code: str
) -> None:
    # botocore waits longer and longer between its tries.
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    deployment, start = deploy(tenant), cloud.now
    cloud.answer(deployment)
    cloud.wait(minutes=5)
    cloud.read()
    cloud.standin.faults = faults
    cloud.wait(minutes=5)
    cloud.read()
    source = ObservedSource.objects.get()
    assert (source.error_code, source.holder, source.read_at) == (code, None, cloud.now - dt.timedelta(minutes=5))
    assert counted() == [(start, 1, 0, 100.0)]
    cloud.standin.faults = Faults()
    cloud.read()
    assert ObservedSource.objects.get().error_code == ""


def test_pages_are_put_together(cloud: Cloud, deploy: Deploy, tenant: Tenant) -> None:
    deployment = deploy(tenant)
    for _ in range(5):
        cloud.answer(deployment, count=2)
        cloud.wait(hours=1)
    cloud.faults.page_points = 4
    cloud.read()
    assert [figures for _, *figures in counted()] == [[2, 0, 100.0]] * 5


def test_a_figure_that_is_missing_this_time_stays_as_it_was(
    cloud: Cloud, deploy: Deploy, tenant: Tenant, calls: Calls
) -> None:
    deployment, start = deploy(tenant), cloud.now
    cloud.answer(deployment)
    cloud.wait(hours=1)
    cloud.read()
    cloud.answer(deployment, count=3)
    cloud.wait(hours=1)
    cloud.faults.internal_errors = {"OverheadLatency": 100}
    cloud.read()
    with tenant_scope(tenant.id):
        found = ObservedUsage.objects.order_by("hour").values_list("requests", "overhead_ms")
        assert list(found) == [(1, 2.0), (3, None)]
        assert ObservedProgress.objects.get(is_endpoint=False).read_to == start + HOUR, "it is not done"
        cloud.faults.internal_errors = {}
        cloud.read()
        assert list(found.all()) == [(1, 2.0), (3, 2.0)]
        assert ObservedProgress.objects.get(is_endpoint=False).read_to == start + 2 * HOUR


def test_one_process_reads_at_a_time(cloud: Cloud, deploy: Deploy, tenant: Tenant, calls: Calls) -> None:
    deploy(tenant)
    other = uuid.uuid4()
    source = ObservedSource.objects.create(
        alias="cloudwatch", holder=other, held_until=timezone.now() + dt.timedelta(minutes=5)
    )
    cloud.read()
    assert calls == []
    ObservedSource.objects.update(held_until=timezone.now() - dt.timedelta(minutes=5))
    cloud.read()
    assert calls
    source.refresh_from_db()
    assert source.holder is None


def test_who_has_lost_the_source_writes_nothing(
    cloud: Cloud, deploy: Deploy, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment, other = deploy(tenant), uuid.uuid4()
    cloud.answer(deployment)
    cloud.wait(minutes=5)
    original = CloudWatch.components

    def slow(self: CloudWatch, *asked: Any) -> Any:
        ObservedSource.objects.update(holder=other)
        return original(self, *asked)

    monkeypatch.setattr(CloudWatch, "components", slow)
    cloud.read()
    assert counted() == []
    assert not ObservedProgress.objects.exists()
    assert ObservedSource.objects.get().holder == other


@pytest.mark.parametrize("end", [take_off, delete_endpoint])
def test_what_has_gone_is_not_asked_for_for_ever(
    cloud: Cloud, deploy: Deploy, tenant: Tenant, calls: Calls, end: Callable[[Deployment, dt.datetime], None]
) -> None:
    deployment, start = deploy(tenant), cloud.now
    cloud.answer(deployment)
    end(deployment, cloud.wait(hours=1))
    cloud.wait(days=20)
    cloud.read()
    assert counted() == [(start, 1, 0, 100.0)]
    calls.clear()
    cloud.wait(days=20)
    cloud.read()
    assert calls == []


def test_what_never_was_in_service_or_is_elsewhere_is_not_asked_for(
    cloud: Cloud, deploy: Deploy, tenant: Tenant, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(tenant)
    with tenant_scope(tenant.id):
        Deployment.objects.update(in_service_at=None)
    cloud.read()
    assert calls == []
    with tenant_scope(tenant.id):
        Deployment.objects.update(in_service_at=cloud.now)
    with monkeypatch.context() as patched:
        patched.setattr(CloudWatch, "watches", lambda self, backend: False)
        cloud.read()
    assert calls == []
    cloud.read()
    assert calls


def test_an_endpoint_has_rows_of_its_own(cloud: Cloud, endpoint: Endpoint) -> None:
    start = cloud.now
    place = {"EndpointName": "shared", "VariantName": "AllTraffic"}
    for _ in range(2):
        cloud.standin.hosting.publish({"Invocations": 3.0, "ModelLatency": 5e4, "FirstChunkLatency": 2e4}, **place)
        cloud.standin.hosting.publish({"ConcurrentRequestsPerCopy": 4.0}, InferenceComponentName="shared-base")
        cloud.wait(minutes=5)
        cloud.read()
    row = ObservedEndpoint.objects.get()
    assert (row.endpoint, row.hour, row.requests, row.p95_ms, row.first_chunk_p50_ms) == (
        endpoint,
        start,
        6,
        50.0,
        20.0,
    )
    assert (row.concurrency, row.gpu_percent, row.no_capacity, row.cache_percent) == (4.0, None, None, None)
    assert ObservedProgress.objects.filter(is_endpoint=True, name="shared").exists()


def test_without_a_source_nothing_is_read(cloud: Cloud, deploy: Deploy, tenant: Tenant, settings: Settings) -> None:
    cloud.answer(deploy(tenant))
    cloud.wait(hours=1)
    settings.USAGE_SOURCES = {}
    read_observed(now=cloud.now)
    assert counted() == []
    assert not ObservedSource.objects.exists()
