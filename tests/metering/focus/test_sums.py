"""The file says what the page of costs and the hours of endpoints say, to the millionth."""

from collections.abc import Callable
from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lorakit.contracts import InvocationRecord
from metering.costs.allocation import allocate_hour
from metering.costs.queries import costs_of
from metering.focus import hosting
from metering.focus.charges import Organisation
from metering.focus.hosting import Measured, Of, Origin, PartOf
from metering.focus.list_prices import Listed
from metering.focus.organisations import Organisations
from metering.focus.periods import Month
from metering.models import EndpointHour, Price
from metering.prices.services import add_discount, set_price
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.examples import examples
from tests.metering.focus.conftest import (
    BY_HOUR,
    NOON,
    OCTOBER,
    called,
    measured,
    rows_of,
    run,
    total,
    unknown_rows,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("month", [OCTOBER, BY_HOUR], ids=["day", "hour"])
def test_an_organisations_file_sums_to_its_page(
    october: None, tenant: Tenant, other_tenant: Tenant, month: Month
) -> None:
    for owner in (tenant, other_tenant):
        rows = rows_of(month, only=owner)
        with tenant_scope(owner.id):
            costs = costs_of(OCTOBER.start, OCTOBER.end)
        assert costs.provider_usd > 0
        assert total(rows, "BilledCost") == costs.site_usd
        assert total(rows, "EffectiveCost") == costs.total_usd
        for part, kinds in {"Use": {"serving"}, "Idle": {"idle"}, "Run": {"training", "evaluation"}}.items():
            lines = sum((line.usd or Decimal(0) for line in costs.lines if line.kind in kinds), Decimal(0))
            assert total([row for row in rows if row["x_CostPart"] == part], "BilledCost") == lines > 0


def test_the_operators_file_has_every_endpoint_to_the_millionth(october: None) -> None:
    hours = EndpointHour.objects.filter(hour__gte=OCTOBER.start, hour__lt=OCTOBER.end)
    micros = sum(hour.micros or 0 for hour in hours)
    for unsplit in (False, True):
        rows = [row for row in rows_of(unsplit=unsplit) if row["ResourceType"] == "Endpoint"]
        assert total(rows, "BilledCost") == Decimal(micros) / 1_000_000
    by_hour = {row["ChargePeriodStart"]: row["BilledCost"] for row in rows_of(BY_HOUR, unsplit=True)
               if row["ResourceType"] == "Endpoint"}  # fmt: skip
    assert {key: Decimal(cost) for key, cost in by_hour.items()} == {
        f"{hour.hour:%Y-%m-%dT%H:%M:%SZ}": Decimal(hour.micros or 0) / 1_000_000 for hour in hours
    }


def test_an_organisation_sees_its_own_rows_as_the_operator_does(
    october: None, tenant: Tenant, other_tenant: Tenant
) -> None:
    own, everything = rows_of(only=tenant), rows_of()
    assert {row["x_OrganisationId"] for row in own} == {str(tenant.id)}
    assert "Unallocated" not in {row["x_CostPart"] for row in own}
    text = str(own)
    assert all(word not in text for word in (str(other_tenant.id), other_tenant.slug, other_tenant.name, "theirs"))
    names = (
        "ResourceId",
        "ChargePeriodStart",
        "AllocatedResourceId",
        "BilledCost",
        "EffectiveCost",
        "x_OriginChargeId",
    )
    theirs = [row for row in everything if row["x_OrganisationId"] == str(tenant.id)]
    assert [[row[name] for name in names] for row in own] == [[row[name] for name in names] for row in theirs]


def test_what_has_no_price_is_in_the_other_file(
    asked: Callable[..., InvocationRecord], count: Callable[..., int], tenant: Tenant, other_tenant: Tenant
) -> None:
    measured(ms=1_800_000)
    count(asked(alias="a"), asked(alias="a"))
    job = run(tenant, usd_per_hour=None, price_source="")
    run(other_tenant, usd_per_hour=None)
    called(tenant, usd=0, calls_without_price=10)
    called(tenant, hour=NOON.replace(day=2), judge_key="k", judge_name="K", calls=5, calls_without_tokens=2)
    called(tenant, paid_to="serving", judge_key="here", calls_without_price=10)
    [known] = rows_of(only=tenant)
    assert (known["x_CallCount"], known["BilledCost"]) == ("5", "2")
    found = unknown_rows(only=tenant)
    assert [(row["ResourceId"], row["ConsumedQuantity"], row["ConsumedUnit"]) for row in found] == [
        ("endpoints/shared", "2", "Requests"), (f"jobs/{job.id}", "0.1", "Hours"), ("judges/k", "2", "Requests"),
        ("judges/shared", "10", "Requests"),
    ]  # fmt: skip
    assert all(row["x_Reason"] for row in found)
    everything = unknown_rows()
    assert len(everything) == len(found) + 2
    assert everything[0]["ConsumedUnit"] == "Hours"
    assert everything[0]["ConsumedQuantity"] == "0.5"


def test_hours_that_were_free_are_known_and_nobodys(
    asked: Callable[..., InvocationRecord], count: Callable[..., int], tenant: Tenant
) -> None:
    count(asked(alias="a"))
    EndpointHour.objects.filter(pk=measured().pk).update(micros=0, price_per_hour=0, method="steps",
                                                         idle_policy="operator")  # fmt: skip
    [row] = rows_of()
    assert (row["x_CostPart"], row["BilledCost"], row["PricingQuantity"]) == ("Unallocated", "0", "1")
    assert rows_of(only=tenant) == []


def test_a_discount_shows_in_the_list_price(
    endpoint: None, asked: Callable[..., InvocationRecord], count: Callable[..., int]
) -> None:
    set_price(service="hosting", item="default", amount=Decimal(4), currency="USD", set_by=None)
    add_discount(service="hosting", percent=Decimal(25), reason="Savings Plan", set_by=None)
    recorded = Price.objects.get().recorded_at.replace(minute=0, second=0, microsecond=0)
    hour = measured(recorded + (BY_HOUR.period_of(recorded)[1] - recorded))
    allocate_hour("shared", hour.hour)
    month = Month(start=hour.hour.replace(day=1, hour=0))
    [row] = rows_of(month)
    assert [row[name] for name in ("ListUnitPrice", "ContractedUnitPrice", "ListCost", "BilledCost")] == [
        "4", "3", "4", "3"
    ]  # fmt: skip


ACME = Organisation(id=uuid4(), slug="acme", name="Acme")


class OnlyAcme(Organisations):
    def __init__(self) -> None:
        self.only = None
        self._by_id = {ACME.id: ACME}


@settings(max_examples=examples(200), deadline=None)
@given(
    shares=st.lists(st.integers(1, 10**9), max_size=8),
    rest=st.integers(0, 10**10),
    instance_ms=st.integers(1, 20 * 24 * 3_600_000),
    price=st.decimals("0.000001", 1000, places=6),
)
def test_any_parts_add_up(shares: list[int], rest: int, instance_ms: int, price: Decimal) -> None:
    of = Of(NOON, NOON, "shared", price, Listed(price * 2, ""), "a quote", "steps", "use")
    keys = [PartOf(ACME.id, f"m{number}", "", is_idle=bool(number % 2)) for number in range(len(shares))]
    origin = Origin(
        instance_ms=instance_ms,
        micros=sum(shares) + rest,
        parts={key: Measured(micros=micros) for key, micros in zip(keys, shares, strict=True)},
    )
    parts = list(hosting._parts(of, origin, OnlyAcme(), {(key.alias, ""): key.alias for key in keys}))
    assert sum(part.micros for part in parts) == origin.micros
    assert sum(part.allocation.element.ratio for part in parts if part.allocation) == 1
    hours = sum((part.quantity for part in parts), Decimal(0))
    assert abs(hours - Decimal(instance_ms) / 3_600_000) <= Decimal("0.0000000005")
    assert all(part.quantity >= 0 and part.micros >= 0 for part in parts)
