"""Storage costs the same on pages, in files, REST, statements, FOCUS and budgets, and its parts are its whole."""

import csv
import datetime as dt
import io
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from metering.budgets.counting import Subject, by_day, counted_in
from metering.costs.export import costs_csv
from metering.costs.over_time import costs_over_time
from metering.costs.queries import costs_of
from metering.costs.storage import storage_parts
from metering.focus.export import write_focus, write_without_price
from metering.focus.periods import Month
from metering.models import Adjustment, Grain, StorageHour, StorageListing
from metering.spend.organisations import charged
from metering.statements.drafting import drafted
from metering.statements.late import charge_late_lines
from metering.statements.queries import statement_of
from metering.statements.services import begin_closing, finish_closing
from metering.stored.measuring import price_again
from metering.usage.queries import Slice
from metering.usage.ranges import HOUR
from tenants.models import Tenant
from tenants.scope import system_scope, tenant_scope
from tests.examples import examples
from tests.metering.clock import Clock
from tests.metering.stored.conftest import GB, HOURS, measured, priced

pytestmark = pytest.mark.django_db
NOVEMBER = (dt.datetime(2026, 11, 1, tzinfo=dt.UTC), dt.datetime(2026, 12, 1, tzinfo=dt.UTC))
NOON = dt.datetime(2026, 11, 16, 12, tzinfo=dt.UTC)


def had(tenant: Tenant, size: int, adapter: str = "", hour: dt.datetime = NOON, price: str | None = "0.72") -> None:
    """What was in storage in an hour."""
    with tenant_scope(tenant.id):
        StorageListing.objects.get_or_create(hour=hour, defaults={"finished_at": hour})
        StorageHour.objects.create(
            hour=hour, kind="datasets", adapter=adapter, storage_class="local", bytes=size,
            price=price and Decimal(price), price_source="a contract" if price else "",
        )  # fmt: skip


def rows_of(month: Month, only: Tenant | None) -> list[dict[str, str]]:
    file = io.BytesIO()
    write_focus(file, month, only=only)
    rows = csv.DictReader(io.StringIO(file.getvalue().decode()))
    return [row for row in rows if row["x_CostPart"] == "Storage"]


def test_a_gb_is_two_to_the_thirtieth_and_a_month_its_own_hours(tenant: Tenant, clock: Clock) -> None:
    for number in range(HOURS):
        had(tenant, GB, hour=NOVEMBER[0] + number * HOUR)
    with tenant_scope(tenant.id):
        [line] = [one for one in costs_of(*NOVEMBER).lines if one.kind == "storage"]
        assert (line.gb_months, line.usd, line.usd_per_gb_month) == (Decimal(1), Decimal("0.72"), Decimal("0.72"))
        # An hour of February is a larger part of its month.
    had(tenant, 672 * GB, hour=dt.datetime(2026, 2, 3, tzinfo=dt.UTC))
    with tenant_scope(tenant.id):
        [part] = storage_parts(dt.datetime(2026, 2, 1, tzinfo=dt.UTC), dt.datetime(2026, 3, 1, tzinfo=dt.UTC))
    assert (part.gb_months, part.micros) == (Decimal(1), 720_000)


def test_it_is_the_same_everywhere(
    tenant: Tenant, other_tenant: Tenant, clock: Clock, as_alice: Client, api: APIClient
) -> None:
    """Thirds of a dollar, which can't be shown to the cent."""
    for day in range(3):
        for adapter in ("", "clauses", "tickets"):
            had(tenant, 333 * GB + day, adapter, hour=NOON - day * 24 * HOUR)
    had(other_tenant, 50 * GB)
    with tenant_scope(tenant.id):
        costs = costs_of(*NOVEMBER)
        [line] = [one for one in costs.lines if one.kind == "storage"]
        document = drafted(tenant, NOVEMBER[0].date())
        over_time = costs_over_time(Slice(start=NOVEMBER[0], end=NOVEMBER[1]), Grain.DAY, {})
        everything, clauses = Subject("all"), Subject("adapter", "clauses")
        counted = counted_in(NOVEMBER[0].date(), [everything, clauses])
        days = by_day([everything], dt.date(2026, 11, 1), dt.date(2026, 12, 1))
    whole = line.usd
    assert whole is not None
    assert whole == costs.total_usd
    assert whole == sum(Decimal(row["usd"]) for row in csv.DictReader(io.StringIO(costs_csv(costs))))
    assert whole * 1_000_000 == document.due_micros == counted[everything].micros == sum(days[everything].values())
    assert whole == sum(over_time["Storage"].values())
    groups = {one.group: one for one in document.lines}
    assert set(groups) == {"Storage", "clauses", "tickets"}
    assert counted[clauses].micros == groups["clauses"].micros
    for month in (Month(start=NOVEMBER[0]), Month(start=NOVEMBER[0], grain=Grain.HOUR)):
        rows = rows_of(month, tenant)
        assert sum(Decimal(row["EffectiveCost"]) for row in rows) == whole
        assert len(rows) == 9
        assert {(row["ServiceCategory"], row["PricingUnit"]) for row in rows} == {("Storage", "GiB-Months")}
        assert len(rows_of(month, None)) == 10
        for row in rows:
            exact = Decimal(row["PricingQuantity"]) * Decimal(row["ContractedUnitPrice"])
            assert abs(exact - Decimal(row["EffectiveCost"])) < Decimal("0.000002")
    with system_scope():
        found = {one.tenant: one.storage for one in charged(NOVEMBER, NOVEMBER)}
    assert (found[tenant], found[other_tenant]) == (whole, Decimal("0.05"))
    usage = api.get("/api/v1/usage/?start=2026-11-01T00:00:00Z&end=2026-12-01T00:00:00Z").json()
    [told] = [one for one in usage["costs"] if one["kind"] == "storage"]
    assert (Decimal(told["usd"]), Decimal(told["usd_per_gb_month"])) == (whole, Decimal("0.72"))
    page = " ".join(as_alice.get("/usage/?range=month").content.decode().split())
    assert "GB-months × price per GB-month" in page
    assert "0.72 USD per GB-month" in page


@given(
    sizes=st.lists(
        st.tuples(st.integers(1, 2**50), st.sampled_from("abc"), st.integers(0, 23)), min_size=1, max_size=9
    ),
    price=st.decimals(0, 1000, places=10),
)
@settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_parts_are_the_whole_at_any_grain(tenant: Tenant, sizes: list[tuple[int, str, int]], price: Decimal) -> None:
    with tenant_scope(tenant.id):
        StorageHour.objects.all().delete()
        StorageHour.objects.bulk_create(
            StorageHour(hour=NOON + hour * HOUR, kind=str(number), adapter=adapter, storage_class="local", bytes=size,
                        price=price, price_source="x")
            for number, (size, adapter, hour) in enumerate(sizes)
        )  # fmt: skip
        totals = set()
        for grain in (Grain.HOUR, Grain.DAY, Grain.MONTH):
            totals.add(sum(part.micros or 0 for part in storage_parts(*NOVEMBER, grain)))
    exact = Fraction(sum(size for size, _, _ in sizes), GB * HOURS) * Fraction(price) * 1_000_000
    assert totals == {round(exact)}


def test_no_price_is_unknown_and_an_hour_unmeasured_a_gap(
    store: Callable[..., str], tenant: Tenant, clock: Clock, as_alice: Client, api: APIClient, without_own_price: None
) -> None:
    store(tenant, "datasets/1/rows", 3_000_000)
    measured(clock, tenant, (16, 9), (16, 10), (16, 13))
    with tenant_scope(tenant.id):
        costs = costs_of(*NOVEMBER)
        document = drafted(tenant, NOVEMBER[0].date())
        counted = counted_in(NOVEMBER[0].date(), [Subject("all")])[Subject("all")]
    [line] = costs.lines
    assert (line.usd, line.price_source) == (None, "No price set")
    assert (costs.total_usd, costs.hours_not_measured) == (Decimal(0), 2)
    assert costs.gb_months_without_cost == line.gb_months
    assert [(one.quantity, one.unit, one.micros, one.price_source) for one in document.lines] == [
        ("0.000012", "GB-month", None, "No price set"), ("2", "hour", None, "Not measured"),
    ]  # fmt: skip
    assert (document.due_micros, counted.micros, counted.gb_months_without_cost > 0) == (0, 0, True)
    page = " ".join(as_alice.get("/usage/?range=month").content.decode().split())
    assert "Without 2 hours in which storage was not measured." in page
    assert "0.00 USD per GB-month" not in page
    usage: Any = api.get("/api/v1/usage/?start=2026-11-01T00:00:00Z&end=2026-12-01T00:00:00Z").json()
    assert (usage["storage_hours_not_measured"], usage["costs"][0]["usd"]) == (2, None)
    file = io.BytesIO()
    write_without_price(file, Month(start=NOVEMBER[0]), only=tenant)
    found = [(row["ConsumedUnit"], row["x_Reason"]) for row in csv.DictReader(io.StringIO(file.getvalue().decode()))]
    assert found == [("GiB-Months", "No price was set"), ("Hours", "Storage was not measured")]
    # A price of zero with a source is free of charge.
    priced("0", valid_from=NOVEMBER[0])
    price_again()
    with tenant_scope(tenant.id):
        assert costs_of(*NOVEMBER).lines[0].usd == 0


def test_a_price_that_comes_after_closing_is_charged_on_the_next_statement_once(
    tenant: Tenant, other_tenant: Tenant, clock: Clock
) -> None:
    with system_scope():
        for one in (tenant, other_tenant):
            one.created_at = NOVEMBER[0]
            one.save()
    had(tenant, 720 * GB, "clauses", price=None)
    had(tenant, 720 * GB, price=None)
    had(other_tenant, 720 * GB)
    clock.set(2026, 12, 2)
    begin_closing(month=NOVEMBER[0].date())
    finish_closing(month=NOVEMBER[0].date())
    assert charge_late_lines() == 0
    priced("0.10", valid_from=NOVEMBER[0])
    assert price_again() == 2
    assert [charge_late_lines(), charge_late_lines()] == [2, 0]
    with tenant_scope(tenant.id):
        november, december = (statement_of(tenant, key).document for key in ("2026-11", "2026-12"))
    assert [line.micros for line in november.lines] == [None, None, None]
    assert [(line.title, line.micros, line.price_source) for line in december.lines if line.micros] == [
        ("Late in November 2026: Storage", 100_000, "Known after the month was closed"),
        ("Late in November 2026: Storage: clauses", 100_000, "Known after the month was closed"),
    ]
    with tenant_scope(other_tenant.id):
        assert not Adjustment.objects.exists()
