"""Every row of the file is one that FOCUS 1.3 allows."""

import datetime as dt
import io
import json
import re
from collections import defaultdict
from decimal import Decimal

import pytest

from metering.focus.columns import COLUMNS, Level, Type
from metering.focus.export import write_focus
from tests.metering.focus.conftest import BY_HOUR, OCTOBER, Row, rows_of, total
from tests.metering.focus.specification import OF_THE_SPLIT, SPECIFIED, SUMMABLE

pytestmark = pytest.mark.django_db
NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d*[1-9])?")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
UNIT = re.compile(r"(\d+ )?[A-Z][A-Za-z]*(-[A-Z][a-z]+)?")
BY_NAME = {column.name: column for column in COLUMNS}


@pytest.fixture(params=["day", "hour"])
def rows(october: None, request: pytest.FixtureRequest) -> list[Row]:
    found = rows_of(OCTOBER if request.param == "day" else BY_HOUR)
    assert {row["x_CostPart"] for row in found} == {"Use", "Idle", "Unallocated", "Run", "Calls"}
    return found


def test_the_columns_are_the_specifications() -> None:
    ours = {c.name: (c.level.value, c.nullable, c.type.value) for c in COLUMNS if c.level != Level.CUSTOM}
    assert ours == {name: SPECIFIED[name] for name in ours}
    assert {name for name, (level, _, _) in SPECIFIED.items() if level == "Mandatory"} <= ours.keys()
    # Whoever splits costs has these, says the attribute of split costs.
    assert set(OF_THE_SPLIT) <= ours.keys()


def test_own_columns_come_last_and_all_are_in_order() -> None:
    names = [column.name for column in COLUMNS]
    own = [name for name in names if name.startswith("x_")]
    assert names == [*sorted(set(names) - set(own)), *sorted(own)]
    assert all(re.fullmatch(r"(x_)?([A-Z][a-z]+)+", name) and len(name) <= 50 for name in names)
    assert own == [column.name for column in COLUMNS if column.level == Level.CUSTOM]


def test_values_are_of_their_type(rows: list[Row]) -> None:
    assert list(rows[0]) == [column.name for column in COLUMNS]
    for row in rows:
        for name, text in row.items():
            column = BY_NAME[name]
            if not text:
                assert column.nullable, name
                continue
            if column.type == Type.DECIMAL:
                assert NUMBER.fullmatch(text), (name, text)
            elif column.type == Type.TIME:
                assert MOMENT.fullmatch(text), (name, text)
            elif column.type == Type.JSON:
                assert isinstance(json.loads(text), dict)
            if column.allowed:
                assert text in column.allowed, (name, text)


def test_nulls_and_costs_follow_the_rules(rows: list[Row]) -> None:
    for row in rows:
        for name in ("Consumed", "Pricing"):
            assert (row[f"{name}Quantity"] == "") == (row[f"{name}Unit"] == "") is False
            assert UNIT.fullmatch(row[f"{name}Unit"])
        for cost, price in (("ListCost", "ListUnitPrice"), ("ContractedCost", "ContractedUnitPrice")):
            assert Decimal(row[cost]) == Decimal(row[price]) * Decimal(row["PricingQuantity"])
        # What was billed is rounded to the millionth in each hour; the product is not.
        assert abs(Decimal(row["ContractedCost"]) - Decimal(row["EffectiveCost"])) < Decimal("0.00005")
        assert bool(row["SubAccountId"]) == bool(row["SubAccountName"])
        assert bool(row["RegionId"]) == bool(row["RegionName"])
        assert bool(row["SkuId"]) == bool(row["SkuMeter"]) == bool(row["SkuPriceId"]) is True
        assert bool(row["ResourceId"]) == bool(row["ResourceType"])
        assert row["ChargeClass"] == ""
        own = row["x_PaidTo"] == "provider"
        # Others are paid by somebody else's bill.
        assert (Decimal(row["BilledCost"]), row["InvoiceIssuerName"] == "Adapter Portal") == (
            (Decimal(0), False) if own else (Decimal(row["EffectiveCost"]), True)
        )
        assert json.loads(row["Tags"]).keys() == {key for key in json.loads(row["Tags"]) if "adapter-portal/" in key}


def test_periods_are_days_or_hours_of_the_month(october: None) -> None:
    for month, length in ((OCTOBER, dt.timedelta(days=1)), (BY_HOUR, dt.timedelta(hours=1))):
        for row in rows_of(month):
            start, end = (dt.datetime.fromisoformat(row[f"ChargePeriod{edge}"]) for edge in ("Start", "End"))
            assert end - start == length
            assert row["BillingPeriodStart"] == "2026-10-01T00:00:00Z"
            assert row["BillingPeriodEnd"] == "2026-11-01T00:00:00Z"
            assert OCTOBER.start <= start < OCTOBER.end


def test_parts_add_up_to_their_origin(rows: list[Row]) -> None:
    month = BY_HOUR if len({row["ChargePeriodStart"] for row in rows}) > 3 else OCTOBER
    parts: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["AllocatedMethodId"]:
            parts[row["x_OriginChargeId"]].append(row)
    whole = [row for row in rows_of(month, unsplit=True) if row["ResourceType"] == "Endpoint"]
    assert len(parts) == len(whole) > 2
    # Both are in the order of time, and a day's origins in that of their hours.
    for origin, group in zip(whole, parts.values(), strict=True):
        elements = [json.loads(row["AllocatedMethodDetails"], parse_float=Decimal)["Elements"] for row in group]
        assert sum(Decimal(one["AllocatedRatio"]) for [one] in elements) == 1
        for name in SUMMABLE:
            assert total(group, name) == Decimal(origin[name]), name
        for row in group:
            for name, column in BY_NAME.items():
                if name not in (*SUMMABLE, *OF_THE_SPLIT) and column.level != Level.CUSTOM:
                    assert row[name] == origin[name], name
            assert (row["AllocatedResourceId"] == "") == (row["x_CostPart"] == "Unallocated")
            assert not json.loads(row["Tags"]).keys() & json.loads(row["AllocatedTags"] or "{}").keys()
        given = [row["AllocatedResourceId"] for row in group]
        assert len(set(given)) == len(given)


def test_a_ratio_says_what_it_was_measured_by(rows: list[Row]) -> None:
    units = defaultdict(set)
    for row in rows:
        if row["AllocatedMethodId"]:
            [element] = json.loads(row["AllocatedMethodDetails"])["Elements"]
            units[row["AllocatedMethodId"].split(".")[0], row["x_CostPart"]].add(element["UsageUnit"])
            assert set(element) - {"AllocatedRatio", "UsageUnit", "UsageQuantity"} <= {
                "x_InputTokenCount", "x_CachedTokenCount", "x_OutputTokenCount"
            }  # fmt: skip
    assert units["engine-time", "Use"] == {"Seconds"}
    assert units["weighted-tokens", "Use"] == {"Tokens"}
    assert {row["AllocatedMethodId"].split(".")[1] for row in rows if row["AllocatedMethodId"]} == {
        "idle-unallocated", "idle-by-use"
    }  # fmt: skip


def test_a_name_is_no_formula(rows: list[Row]) -> None:
    assert {row["ResourceName"] for row in rows if row["ResourceType"] == "Judge"} == {"'=Ours", "Strict"}


def test_an_empty_month_has_a_header_only(endpoint: None) -> None:
    assert rows_of() == []
    assert write_focus(io.BytesIO(), OCTOBER, only=None, file_type="parquet") == 0
