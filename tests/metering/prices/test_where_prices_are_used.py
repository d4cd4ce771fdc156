"""The book's price, else that of the settings, else unknown: for jobs, estimates, endpoints and costs."""

import datetime as dt
import importlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from adapters.estimates.time_and_cost import Estimate
from adapters.models import BaseModel
from jobs.backends import compute
from jobs.backends.base import ComputeBackend
from jobs.backends.sagemaker import SageMakerCompute
from jobs.compute.kinds import ComputeKind
from jobs.models import Job
from jobs.prices import HourlyPrice, Priced, price_of, prices_of, total_or_unknown
from jobs.states import State
from metering.costs.allocation import allocate_due
from metering.ledger.rollup import hour_of
from metering.models import EndpointHour, Price, Service
from metering.prices.in_use import importable, in_use
from metering.prices.items import Item
from metering.prices.services import add_discount, set_price, set_rate
from serving.backends import endpoints
from serving.backends.sagemaker import SageMakerEndpoint
from serving.endpoints.services import ensure_endpoint
from serving.models import Endpoint
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.jobs.backends.test_sagemaker_request import NEEDED
from tests.serving.memory_endpoint import MemoryEndpoint

pytestmark = pytest.mark.django_db


class Backend:
    """What has a price, as backends do."""

    def __init__(self, item: str = "default", *, usd: float | None = None, source: str = "", count: int = 1) -> None:
        self.usd_per_hour, self.price_source = usd, source
        self.priced = Priced(service="hosting", item=item, region="eu-west-1" if "." in item else "", count=count)


def price(**changes: Any) -> Price:
    plain: dict[str, Any] = {
        "service": "hosting", "item": "ml.g5.2xlarge", "amount": Decimal("1.2"), "currency": "USD", "set_by": None
    }  # fmt: skip
    return set_price(**{**plain, **changes})


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    """An endpoint whose settings have no price."""
    monkeypatch.setitem(endpoints.built, "default", MemoryEndpoint("default", {}))
    base = BaseModel.objects.create(name="tiny-llama", title="Tiny", location="nowhere")
    return ensure_endpoint(name="shared", backend="default", base_model=base)


def test_the_settings_count_where_the_book_has_nothing() -> None:
    assert price_of(Backend(usd=2.0, source="a quote")) == HourlyPrice(usd=Decimal(2), source="a quote")
    assert price_of(Backend(usd=0.0, source="free")).usd == 0
    assert price_of(Backend()) == HourlyPrice(usd=None, source="")
    assert price_of(Backend()).usd_per_month is None


@pytest.mark.parametrize(
    ("options", "usd"),
    [
        ({}, None),
        ({"PRICE_USD_PER_HOUR": 0.0, "PRICE_SOURCE": "Ours already"}, 0.0),
        ({"PRICE_USD_PER_HOUR": 2.5}, 2.5),
    ],
)
def test_nothing_without_a_source_is_no_price(options: dict[str, Any], usd: float | None) -> None:
    assert MemoryEndpoint("default", options).usd_per_hour == usd


def test_the_book_comes_first_with_its_source_and_for_all_instances() -> None:
    price(region="eu-west-1")
    add_discount(service="hosting", percent=Decimal(50), reason="Savings Plan", set_by=None)
    found = price_of(Backend("ml.g5.2xlarge", usd=9.0, source="a quote", count=3))
    assert found.usd == Decimal("1.8")
    assert found.source.startswith("Set by your site’s operator on ")
    assert found.source.endswith(", less 50% (Savings Plan)")
    assert found.usd_per_month == 1314
    assert price_of(Backend("ml.g5.xlarge", usd=9.0, source="a quote")).usd == 9


def test_many_are_looked_up_together(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    price(item="ml.g5.xlarge")
    price(item="alias-3", currency="EUR")
    set_rate(currency="EUR", rate=Decimal("1.5"), set_by=None)
    backends = [Backend("ml.g5.xlarge"), *(Backend(f"alias-{index}", usd=7, source="x") for index in range(20))]
    with django_assert_num_queries(3):
        found = prices_of(backends)
    assert [one.usd for one in found[:6]] == [Decimal("1.2"), 7, 7, 7, Decimal("1.8"), 7]


def test_a_price_that_cannot_be_converted_is_unknown_whatever_the_settings_say(settings: Settings) -> None:
    settings.CURRENCY = "EUR"
    price(item="default", currency="EUR")
    assert price_of(Backend(usd=9.0, source="a quote")).usd is None
    set_rate(currency="EUR", into="USD", rate=Decimal("1.1"), set_by=None)
    assert price_of(Backend(usd=9.0, source="a quote")).usd == Decimal("1.32")


def test_more_than_a_job_can_record_is_unknown() -> None:
    price(item="default", amount=Decimal(100_000))
    assert price_of(Backend(count=1)).usd == 100_000
    assert price_of(Backend(count=10)).usd is None


def test_a_job_records_the_price_of_the_book(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(job: Job, **values: Any) -> None:
        for name, value in values.items():
            setattr(job, name, value)

    monkeypatch.setattr("jobs.compute.kinds.write", write)
    price(service="training", item="default", amount=Decimal("3.5"))
    job = Job(tenant_id=tenant.id, kind="training", attempt=1, billable_seconds=1800.0)
    ComputeKind._name(None, job, compute["default"])  # type: ignore[arg-type]
    assert (job.usd_per_hour, job.cost_usd) == (Decimal("3.5"), 1.75)
    assert job.price_source.startswith("Set by your site’s operator on ")
    # What is paid from now on says nothing of what runs already.
    price(service="training", item="default", amount=Decimal(9))
    assert job.cost_usd == 1.75


@pytest.fixture
def unpriced_job(tenant: Tenant) -> Job:
    with tenant_scope(tenant.id):
        job: Job = Job.objects.create(
            kind="training", title="Train", state=State.SUCCEEDED, billable_seconds=1800.0,
            started_at=timezone.now(), finished_at=timezone.now(),
        )  # fmt: skip
    return job


def test_what_a_job_without_a_price_costs_is_unknown_everywhere(
    as_alice: Client, api: APIClient, unpriced_job: Job, shared: Endpoint
) -> None:
    assert unpriced_job.cost_usd is None
    assert api.get(f"/api/v1/jobs/{unpriced_job.id}/").json()["cost_usd"] is None
    for address in (reverse("jobs:list"), reverse("jobs:detail", args=[unpriced_job.id])):
        page = as_alice.get(address).content.decode()
        assert "unknown" in page
        assert "$0.00" not in page
    usage = api.get("/api/v1/usage/").json()
    [line] = usage["costs"]
    assert (line["usd"], line["usd_per_hour"], line["price_source"]) == (None, None, "No price set")
    assert (usage["total_usd"], usage["seconds_without_cost"]) == ("0.000000", 1800.0)
    page = as_alice.get(reverse("metering:usage")).content.decode()
    assert "Without 30 min whose price is not known." in " ".join(page.split())
    row = as_alice.get(reverse("metering:costs")).content.decode().splitlines()[1]
    assert row == "training,Training,,site,1800.0,,No price set,,,,,,,"


def test_a_job_that_did_not_run_cost_nothing(in_tenant: Tenant) -> None:
    assert Job(tenant=in_tenant, billable_seconds=0.0).cost_usd == 0
    assert total_or_unknown([1.0, 2.0]) == 3
    assert total_or_unknown([]) == 0
    assert total_or_unknown([1.0, None]) is None


@pytest.mark.parametrize(("usd", "shown"), [(None, "unknown"), (0.0, "about $0.00"), (1.5, "about $0.75")])
def test_an_estimate_without_a_price_has_no_cost(usd: float | None, shown: str) -> None:
    estimate = Estimate(
        rows=1, examples=1, tokens=1.0, steps=1, seconds=1800.0, source="Assumed", usd_per_hour=usd, price_source=""
    )
    assert estimate.usd == (None if usd is None else usd / 2)
    page = render_to_string("adapters/sweeps/_estimate.html", {"preview": {"usd": estimate.usd, "estimate": estimate}})
    assert f'<dt>Cost</dt><dd class="numbers">{shown}</dd>' in page
    assert ("per hour" in page) == (usd is not None)


def test_old_prices_of_nothing_become_unknown(tenant: Tenant) -> None:
    migration = importlib.import_module("jobs.migrations.0006_unknown_prices")
    plain = {"kind": "training", "title": "Train", "billable_seconds": 60.0}
    cases = [(0, ""), (0, "No price set"), (0, "No price is set"), (0, "Checking files is not charged"), (2, "")]
    with tenant_scope(tenant.id):
        jobs = [Job.objects.create(usd_per_hour=usd, price_source=source, **plain) for usd, source in cases]

    def now() -> list[tuple[Decimal | None, str]]:
        with tenant_scope(tenant.id):
            found = Job.objects.in_bulk([job.id for job in jobs])
        return [(found[job.id].usd_per_hour, found[job.id].price_source) for job in jobs]

    with connection.schema_editor() as editor:
        migration.forget(apps, editor)
        known = [(Decimal(0), "Checking files is not charged"), (Decimal(2), "")]
        assert now() == [(None, "")] * 3 + known
        migration.put_back(apps, editor)
        assert now() == [(Decimal(0), "No price set")] * 3 + known


def test_what_is_in_use_is_named_with_what_uses_it(shared: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {
        "ENDPOINT": "e", "BASE_COMPONENT": "b", "BASE_MODEL": "m", "BUCKET": "b", "REGION": "eu-west-1",
        "INSTANCE_TYPE": "ml.g5.2xlarge", "INSTANCES": 2,
    }  # fmt: skip
    for name in ("cloud-1", "cloud-2"):
        ensure_endpoint(name=name, backend="cloud", base_model=shared.base_model)
    # One that the settings no longer describe.
    ensure_endpoint(name="lost", backend="gone", base_model=shared.base_model)
    monkeypatch.setitem(endpoints.built, "cloud", SageMakerEndpoint("cloud", options))
    found = {(str(one.item), one.item.service.value): one for one in in_use()}
    assert set(found) == {
        ("default", "hosting"),
        ("ml.g5.2xlarge in eu-west-1", "hosting"),
        ("checks", "training"),
        ("default", "training"),
        ("local", "storage"),
    }
    cloud = found["ml.g5.2xlarge in eu-west-1", "hosting"]
    assert (cloud.used_by, cloud.is_unknown) == (("Endpoint cloud-1", "Endpoint cloud-2"), True)
    assert [one.is_unknown for one in found.values()].count(True) == 2
    assert found["checks", "training"].settings_usd == 0
    assert importable(one.item for one in found.values()) == [cloud.item]
    price(currency="EUR")
    [cloud] = [one for one in in_use() if one.item.region]
    assert (cloud.is_unknown, cloud.lacks_rate) == (True, "EUR")
    set_rate(currency="EUR", rate=Decimal(2), set_by=None)
    [cloud] = [one for one in in_use() if one.item.region]
    assert cloud.found is not None
    assert (cloud.is_unknown, cloud.found.amount) == (False, Decimal("2.4"))


def test_objects_in_s3_are_priced_by_the_class_of_new_ones(settings: Settings) -> None:
    options = {"bucket_name": "objects", "region_name": "eu-west-1"}
    settings.STORAGES = {
        **settings.STORAGES, "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    }  # fmt: skip
    [objects] = [one for one in in_use() if one.item.service == Service.STORAGE]
    assert (objects.item, objects.is_unknown) == (
        Item(service=Service.STORAGE, item="STANDARD", region="eu-west-1"), True
    )  # fmt: skip
    assert objects.item in importable(one.item for one in in_use())


def test_the_operators_list_shows_the_price_of_the_book(as_olga: Client, shared: Endpoint) -> None:
    address = reverse("operator:endpoints")
    assert "unknown" in as_olga.get(address).content.decode()
    price(item="default", amount=Decimal("2.5"))
    day = timezone.localdate()
    for page in (address, reverse("operator:endpoint", args=[shared.id])):
        text = as_olga.get(page).content.decode()
        assert "$2.50" in text
        assert "$1,825" in text
        assert f"Set by your site’s operator on {day:%-d %b %Y}" in text


def test_costs_of_serving_take_the_price_of_the_book(
    in_tenant: Tenant, shared: Endpoint, record: Callable[..., Any], count: Callable[..., int], api: APIClient
) -> None:
    hour = hour_of(timezone.now())
    count(record(busy_ms=3_600_000.0, at=hour.timestamp(), endpoint="shared", queue_ms=0.0))
    EndpointHour.objects.create(
        endpoint="shared",
        hour=hour,
        up_ms=3_600_000,
        instance_ms=3_600_000,
        measured_until=hour + dt.timedelta(hours=1),
    )
    allocate_due()
    [line] = api.get("/api/v1/usage/").json()["costs"]
    assert (line["kind"], line["usd"], line["requests_without_cost"]) == ("serving", None, 1)
    price(item="default", amount=Decimal("2.5"), valid_from=hour)
    EndpointHour.objects.update(allocated_at=None)
    allocate_due()
    [line] = api.get("/api/v1/usage/").json()["costs"]
    assert (line["usd"], line["usd_per_hour"]) == ("2.500000", "2.5000")
    assert line["price_source"].startswith("Set by your site’s operator on ")


def test_backends_say_what_they_are_priced_as() -> None:
    backend: ComputeBackend = compute["checks"]
    assert backend.priced == Priced(service="training", item="checks")
    assert MemoryEndpoint("near", {}).priced == Priced(service="hosting", item="near")


def test_runs_on_a_base_models_own_instance_need_a_price_too(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = SageMakerCompute("default", {**NEEDED, "PRICE_USD_PER_HOUR": 2.0, "PRICE_SOURCE": "a list"})
    monkeypatch.setitem(compute.built, "default", backend)
    BaseModel.objects.create(name="large", title="Large", training_instance="ml.p5.4xlarge")
    BaseModel.objects.create(name="usual", title="Usual", training_instance=backend.priced.item)
    found = {str(one.item.item): one for one in in_use() if one.item.service == "training"}
    assert found["ml.p5.4xlarge"].used_by == ("Runs of large",)
    assert found["ml.p5.4xlarge"].is_unknown
    assert found[backend.priced.item].used_by == ("Runs on default",)
    assert not found[backend.priced.item].is_unknown
