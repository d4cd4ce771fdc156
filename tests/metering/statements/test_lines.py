"""A statement lists what was paid for, and sums to the costs page of its month to the millionth."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest
from pytest_django import Settings

from adapters.models import Adapter, BaseModel, TrainingRun
from corpora.models import Dataset, DatasetVersion, VersionState
from metering.costs.queries import costs_of
from metering.models import EndpointHour
from metering.statements.drafting import drafted
from metering.statements.months import end_of, start_of
from metering.statements.parts.lines import Line
from metering.statements.shown import exact, shown
from metering.usage.ranges import HOUR
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.metering.statements.conftest import NOON, NOVEMBER, OCTOBER, Clock, job, judged, measured

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]


def lines_of(tenant: Tenant, month: dt.date = OCTOBER) -> list[Line]:
    with tenant_scope(tenant.id):
        return list(drafted(tenant, month).lines)


def check_total(tenant: Tenant, month: dt.date = OCTOBER) -> None:
    """The costs page says the same."""
    with tenant_scope(tenant.id):
        document = drafted(tenant, month)
        costs = costs_of(start_of(month), end_of(month))
    assert exact(document.use_micros) == costs.site_usd
    assert exact(document.provider_micros) == costs.provider_usd
    assert (exact(document.use_micros) or 0) + (exact(document.provider_micros) or 0) == costs.total_usd


def test_every_line_says_quantity_price_and_source(october: Tenant) -> None:
    found = [
        (line.group, line.title, line.detail, line.quantity, line.unit, line.unit_price, line.price_source, line.micros)
        for line in lines_of(october)
    ]
    tokens = "2,000 input tokens, 300 output tokens"
    site = "Set by your site’s operator: tokens × price per token of the site’s judges"
    own = "Set on your judges, or the site’s price of the model: paid to your provider: tokens × price per token"
    judges = "Judges and outside models"
    assert found == [
        ("clauses", "Serving on shared", "1 request", "0.000278", "instance-hour", "1", "a quote", 278),
        ("Other runs", "Checking datasets", "", "0.000278", "hour", "", "No price set", None),
        ("Other runs", "Training", "", "0.1", "hour", "2", "price list", 200_000),
        ("tickets", "Serving on shared", "1 request", "0.000833", "instance-hour", "1", "a quote", 833),
        (judges, "Judging: Ours", tokens, "10", "call", "", own, 333_333),
        (judges, "Judging: Dark", "", "10", "call", "", "No price set", None),
        (judges, "Judging: Strict", tokens, "10", "call", "", site, 100_000),
    ]
    check_total(october)


def test_what_own_providers_are_paid_is_apart(october: Tenant) -> None:
    with tenant_scope(october.id):
        document = drafted(october, OCTOBER)
    seen = shown(document)
    assert (document.due_micros, document.provider_micros, document.unknown) == (301_111, 333_333, 2)
    assert (seen.due, seen.provider) == (Decimal("0.30"), Decimal("0.33"))
    assert [one.line.title for one in seen.elsewhere] == ["Judging: Ours"]
    assert "Judging: Ours" not in {one.line.title for group in seen.groups for one in group.lines}


def test_runs_stand_with_their_adapter_or_dataset_and_their_parts_sum(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        base = BaseModel.objects.get()
        for number, name in enumerate(("clauses", "tickets", "letters"), start=1):
            dataset = Dataset.objects.create(name=f"{name}-data")
            data = DatasetVersion.objects.create(
                dataset=dataset, number=1, state=VersionState.READY, file_name="rows.jsonl", upload_sha256="0" * 64,
                upload_bytes=1, upload_key="none",
                job=job(tenant, kind="dataset_check", billable_seconds=100.0 * number),
            )  # fmt: skip
            adapter = Adapter.objects.create(name=name, base_model=base)
            # A third of a cost that can't be divided by three.
            run = job(tenant, billable_seconds=1.0, usd_per_hour=Decimal("3.6012"))
            TrainingRun.objects.create(adapter=adapter, dataset_version=data, job=run, recipe="style")
    found = lines_of(tenant)
    assert [(line.group, line.title) for line in found] == [
        ("clauses", "Training"), ("clauses-data", "Checking datasets"), ("letters", "Training"),
        ("letters-data", "Checking datasets"), ("tickets", "Training"), ("tickets-data", "Checking datasets"),
    ]  # fmt: skip
    assert sorted(line.micros or 0 for line in found if line.title == "Training") == [1000, 1000, 1001]
    check_total(tenant)


def test_idle_time_is_a_line_of_its_own_and_endpoints_and_prices_are_apart(
    asked: Callable[..., None], tenant: Tenant, settings: Settings
) -> None:
    settings.IDLE_COST_POLICY = "use"
    measured()
    asked()
    with tenant_scope(tenant.id):
        EndpointHour.objects.create(
            endpoint="shared", hour=NOON + HOUR, up_ms=3_600_000, instance_ms=3_600_000,
            measured_until=NOON + 2 * HOUR, price_per_hour=Decimal(2), price_source="a dearer quote",
        )  # fmt: skip
    asked({"at": NOON.timestamp() + 3660})
    found = [(line.title, line.unit_price, line.quantity, line.micros) for line in lines_of(tenant)]
    assert found == [
        ("Serving on shared", "2", "0.000278", 555),
        ("Idle time of shared", "2", "0.999722", 1_999_445),
        ("Serving on shared", "1", "0.000277", 277),
        ("Idle time of shared", "1", "0.999723", 999_723),
    ]
    check_total(tenant)
    with tenant_scope(tenant.id):
        text = drafted(tenant, OCTOBER).sharing
    assert "the endpoint’s own time for each answer" in text
    assert "those who used it bear by their use" in text


def test_requests_without_a_price_are_unknown_with_their_number(
    asked: Callable[..., None], tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metering.costs.allocation.hosting_price", lambda endpoint, hour: None)
    measured()
    asked({}, {})
    [line] = lines_of(tenant)
    assert (line.quantity, line.unit, line.micros, line.price_source) == ("2", "request", None, "No price set")
    check_total(tenant)


def test_an_hour_that_is_not_shared_yet_is_unknown(asked: Callable[..., None], tenant: Tenant) -> None:
    asked({"at": NOON.timestamp()}, share=False)
    measured()
    EndpointHour.objects.update(price_per_hour=1)
    [line] = lines_of(tenant)
    assert (line.quantity, line.micros, line.price_source) == ("1", None, "Not shared yet")


@pytest.mark.parametrize("year", [2027, 2028])
def test_a_month_holds_its_first_and_last_moment_and_no_other(tenant: Tenant, clock: Clock, year: int) -> None:
    """Leap years have a 29 February."""
    clock.set(year, 3, 5)
    end = dt.datetime(year, 3, 1, tzinfo=dt.UTC)
    first = dt.datetime(year, 2, 1, tzinfo=dt.UTC)
    moment = dt.timedelta(microseconds=1)
    for at, seconds in ((end, 1.0), (end - moment, 2.0), (first, 4.0), (first - moment, 8.0)):
        job(tenant, finished_at=at, billable_seconds=seconds * 3600, usd_per_hour=Decimal(1))
    judged(tenant, hour=end - HOUR, usd=Decimal(16))
    judged(tenant, hour=end, usd=Decimal(32))
    with tenant_scope(tenant.id):
        sums = {month: drafted(tenant, dt.date(year, month, 1)).due_micros for month in (1, 2, 3)}
    assert sums == {1: 8_000_000, 2: 22_000_000, 3: 33_000_000}
    for month in (1, 2, 3):
        check_total(tenant, dt.date(year, month, 1))


def test_what_runs_counts_in_the_running_month(tenant: Tenant) -> None:
    job(tenant, finished_at=None, state="running")
    assert lines_of(tenant) == []
    assert [line.micros for line in lines_of(tenant, NOVEMBER)] == [200_000]
    check_total(tenant, NOVEMBER)


def test_nothing_of_another_organisation_is_seen(october: Tenant, other_tenant: Tenant) -> None:
    assert [(line.group, line.micros) for line in lines_of(other_tenant)] == [("clauses", 1944)]
    check_total(other_tenant)
