"""Storage is measured once an hour, also by two workers, after a kill, and in many steps."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from django.core.files.storage import default_storage
from moto import mock_aws
from pytest_django import Settings

from adapters.models import AdapterVersion, TrainingRun
from metering.models import ClosedMonth, StorageHour, StorageListing
from metering.stored import measuring
from metering.stored.measuring import measure, price_again, tenants_to_measure
from metering.tasks import measure_storage
from storage.errors import StorageUnavailable
from storage.listing import objects_of
from tenants.models import Tenant
from tenants.scope import system_scope, tenant_scope
from tests.metering.clock import Clock
from tests.metering.stored.conftest import priced

pytestmark = pytest.mark.django_db
Store = Callable[..., str]


def rows(tenant: Tenant) -> list[tuple[str, str, int]]:
    with tenant_scope(tenant.id):
        return sorted(StorageHour.objects.values_list("kind", "adapter", "bytes"))


def test_every_object_counts_for_its_tenant_and_adapter(
    store: Store, hold: Callable[..., AdapterVersion], tenant: Tenant, other_tenant: Tenant
) -> None:
    version = hold(tenant, "clauses")
    with tenant_scope(tenant.id):
        job = TrainingRun.objects.get(id=version.run_id).job_id
        AdapterVersion.objects.update(package_key=store(tenant, "adapters/a.tar.gz", 100))
    store(tenant, "adapters/unknown.tar.gz", 7)
    store(tenant, f"checkpoints/{job}/step-1/model", 40)
    store(tenant, "checkpoints/none/step-1/model", 3)
    store(tenant, "datasets/1/rows", 1000)
    store(tenant, "datasets/2/rows", 500)
    store(other_tenant, "datasets/1/rows", 9)
    for one in (tenant, other_tenant):
        measure(tenant_id=one.id)
        measure(tenant_id=one.id)
    assert rows(tenant) == [
        ("adapters", "", 7), ("adapters", "clauses", 100), ("checkpoints", "", 3), ("checkpoints", "clauses", 40),
        ("datasets", "", 1500),
    ]  # fmt: skip
    assert rows(other_tenant) == [("datasets", "", 9)]


@pytest.mark.parametrize("at_once", [1, 2, 3, 7, 8])
def test_steps_count_each_object_once(
    store: Store, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(measuring, "AT_ONCE", at_once)
    for number in range(7):
        store(tenant, f"datasets/{number}/rows", 2**number)
    measure(tenant_id=tenant.id)
    assert rows(tenant) == [("datasets", "", 127)]


def test_a_listing_that_was_killed_goes_on(store: Store, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "AT_ONCE", 2)
    for number in range(7):
        store(tenant, f"datasets/{number}/rows", 2**number)
    calls: list[str] = []

    def die(tenant_id: Any, *, after: str, most: int) -> Any:
        calls.append(after)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return objects_of(tenant_id, after=after, most=most)

    with monkeypatch.context() as patched:
        patched.setattr(measuring, "objects_of", die)
        with pytest.raises(KeyboardInterrupt):
            measure(tenant_id=tenant.id)
    assert rows(tenant) == []
    assert tenants_to_measure() == [tenant.id]
    seen: list[str] = []

    def watched(tenant_id: Any, *, after: str, most: int) -> Any:
        seen.append(after)
        return objects_of(tenant_id, after=after, most=most)

    monkeypatch.setattr(measuring, "objects_of", watched)
    measure(tenant_id=tenant.id)
    assert seen[0] == calls[2]
    assert rows(tenant) == [("datasets", "", 127)]
    assert tenants_to_measure() == []


def test_two_at_once_count_nothing_twice(store: Store, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "AT_ONCE", 2)
    for number in range(5):
        store(tenant, f"datasets/{number}/rows", 2**number)

    def overtaken(tenant_id: Any, *, after: str, most: int) -> Any:
        found = objects_of(tenant_id, after=after, most=most)
        with monkeypatch.context() as patched:
            patched.setattr(measuring, "objects_of", objects_of)
            measuring._step(StorageListing.objects.get().hour)
        return found

    monkeypatch.setattr(measuring, "objects_of", overtaken)
    measure(tenant_id=tenant.id)
    assert rows(tenant) == [("datasets", "", 31)]


def test_an_hour_that_nobody_finished_stays_unmeasured(
    store: Store, tenant: Tenant, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(tenant, "datasets/1/rows", 5)
    store(tenant, "datasets/2/rows", 5)
    monkeypatch.setattr(measuring, "AT_ONCE", 1)
    monkeypatch.setattr(measuring, "MOST_STEPS", 1)
    measure(tenant_id=tenant.id)
    monkeypatch.undo()
    clock_at = dt.datetime(2026, 11, 16, 14, 10, tzinfo=dt.UTC)
    monkeypatch.setattr("django.utils.timezone.now", lambda: clock_at)
    measure(tenant_id=tenant.id)
    with tenant_scope(tenant.id):
        hours = dict(StorageListing.objects.values_list("hour__hour", "finished_at"))
    assert (hours[12], hours[14]) == (None, clock_at)


def test_a_closed_month_is_not_measured_any_more(store: Store, tenant: Tenant, clock: Clock) -> None:
    store(tenant, "datasets/1/rows", 5)
    ClosedMonth.objects.create(month=dt.date(2026, 11, 1), closed_at=clock.now)
    measure(tenant_id=tenant.id)
    assert rows(tenant) == []


def test_the_price_is_that_of_the_hour_and_stays(
    store: Store, tenant: Tenant, clock: Clock, without_own_price: None
) -> None:
    store(tenant, "datasets/1/rows", 5)
    measure(tenant_id=tenant.id)
    assert price_again() == 0
    priced("0.5", valid_from=dt.datetime(2026, 11, 1, tzinfo=dt.UTC))
    assert price_again() == 1
    clock.set(2026, 11, 16, 12, 30)
    priced("0.9")
    assert price_again() == 0
    clock.set(2026, 11, 16, 13, 10)
    measure(tenant_id=tenant.id)
    with tenant_scope(tenant.id):
        found = list(StorageHour.objects.order_by("hour").values_list("price", "price_source"))
    assert [str(price) for price, _ in found] == ["0.5000000000", "0.9000000000"]
    assert {source for _, source in found} == {"Set by your site’s operator on 16 Nov 2026"}


def test_a_disk_of_the_site_has_a_price_of_its_own_until_the_book_has_one(
    store: Store, tenant: Tenant, clock: Clock, settings: Settings
) -> None:
    settings.LOCAL_STORAGE_PRICE_USD_PER_GB_MONTH, settings.LOCAL_PRICE_SOURCE = 0.25, "Estimate"
    store(tenant, "datasets/1/rows", 5)
    measure(tenant_id=tenant.id)
    priced("0.9")
    clock.set(2026, 11, 16, 13, 10)
    measure(tenant_id=tenant.id)
    with tenant_scope(tenant.id):
        found = list(StorageHour.objects.order_by("hour").values_list("price", "price_source"))
    assert [(str(price), source) for price, source in found] == [
        ("0.2500000000", "Estimate"),
        ("0.9000000000", "Set by your site’s operator on 16 Nov 2026"),
    ]


def test_the_task_measures_everybody_and_survives_an_outage(
    store: Store, tenant: Tenant, other_tenant: Tenant, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    store(tenant, "datasets/1/rows", 5)
    asked: list[str] = []
    monkeypatch.setattr(measure_storage, "delay", asked.append)
    measure_storage()
    assert sorted(asked) == sorted([str(tenant.id), str(other_tenant.id)])

    def away(*_args: Any, **_options: Any) -> Any:
        raise StorageUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(measuring, "objects_of", away)
        measure_storage(str(tenant.id))
    assert rows(tenant) == []
    measure_storage(str(tenant.id))
    assert rows(tenant) == [("datasets", "", 5)]
    with system_scope():
        assert StorageListing.objects.exclude(finished_at=None).count() == 1


def test_s3_is_listed_page_by_page_with_its_storage_classes(
    tenant: Tenant, clock: Clock, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setattr("storage.backends.s3.MOST_LISTED", 3)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="objects")
        options = {"bucket_name": "objects", "region_name": "us-east-1", "location": "portal/"}
        backend = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
        settings.STORAGES = {**settings.STORAGES, "default": backend}
        assert hasattr(default_storage, "bucket")
        for number in range(8):
            client.put_object(Bucket="objects", Key=f"portal/tenants/{tenant.id}/datasets/{number}", Body=b"x" * 10)
        client.put_object(
            Bucket="objects", Key=f"portal/tenants/{tenant.id}/runs/old", Body=b"xy", StorageClass="STANDARD_IA"
        )
        client.put_object(Bucket="objects", Key="portal/tenants/somebody/datasets/1", Body=b"xyz")
        client.put_object(Bucket="objects", Key=f"tenants/{tenant.id}/datasets/1", Body=b"not below the folder")
        priced("0.02", item="STANDARD", region="us-east-1")
        monkeypatch.setattr(measuring, "AT_ONCE", 4)
        clock.set(2026, 11, 16, 13, 10)
        measure(tenant_id=tenant.id)
    with tenant_scope(tenant.id):
        found = sorted(StorageHour.objects.values_list("kind", "storage_class", "bytes", "price"))
    assert [(kind, class_, size, price and float(price)) for kind, class_, size, price in found] == [
        ("datasets", "STANDARD", 80, 0.02), ("runs", "STANDARD_IA", 2, None),
    ]  # fmt: skip
