"""What a file's metadata says: the columns that it has, and how recent its days and hours are."""

import csv
import datetime as dt
import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from metering.focus.columns import SCHEMA_CREATED
from metering.focus.metadata import focus_metadata, schema_id
from metering.focus.periods import Month
from metering.models import ClosedMonth, Grain
from tenants.models import Tenant
from tests.metering.focus.conftest import BY_HOUR, OCTOBER

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 2, 10, 30, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


def metadata_of(month: Month = OCTOBER, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(focus_metadata(month, **{"only": None, **options}))
    return found


def test_columns_are_those_of_the_file_in_its_order(as_alice: Client, tenant: Tenant) -> None:
    file: Any = as_alice.get("/usage/focus/?month=2026-10")
    header = next(csv.reader(io.StringIO(b"".join(file.streaming_content).decode())))
    [schema] = metadata_of()["Schema"]
    assert [one["ColumnName"] for one in schema["ColumnDefinition"]] == header
    table: Any = as_alice.get("/usage/focus/?month=2026-10&file_type=parquet")
    types = pq.read_schema(io.BytesIO(b"".join(table.streaming_content)))
    [schema] = metadata_of(file_type="parquet")["Schema"]
    for one in schema["ColumnDefinition"]:
        found = types.field(one["ColumnName"]).type
        if one["DataType"] == "Decimal":
            assert (found.precision, found.scale) == (one["NumericPrecision"], one["NumberScale"])
        assert (one["DataType"] == "Date/Time") == str(found).startswith("timestamp")
    by_name = {one["ColumnName"]: one for one in schema["ColumnDefinition"]}
    assert by_name["Tags"]["ProviderTagPrefixes"] == ["adapter-portal/"]
    assert {name for name, one in by_name.items() if one.get("Deprecated")} == {"ProviderName", "PublisherName"}


def test_whoever_changes_a_column_dates_the_schema_anew() -> None:
    assert (SCHEMA_CREATED, schema_id("csv"), schema_id("parquet")) == (
        "2026-11-29T00:00:00Z", "focus-1.3-csv-671f8250f7f0", "focus-1.3-parquet-e577ec3b246b",
    )  # fmt: skip


def test_every_part_refers_to_the_one_instance(tenant: Tenant) -> None:
    ours, all_ = metadata_of(only=tenant), metadata_of()
    for found in (ours, all_):
        [instance], [schema], [recency] = found["DatasetInstance"], found["Schema"], found["Recency"]
        assert schema["DatasetInstanceId"] == recency["DatasetInstanceId"] == instance["DatasetInstanceId"]
        assert (instance["FocusDatasetId"], schema["FocusVersion"]) == ("CostAndUsage", "1.3")
    ids = [one["DatasetInstance"][0]["DatasetInstanceId"] for one in (ours, all_, metadata_of(BY_HOUR))]
    assert len(set(ids)) == 3


def test_days_are_complete_once_their_month_is_closed() -> None:
    [recency] = metadata_of()["Recency"]
    sectors = recency["TimeSectors"]
    assert [one["TimeSectorEnd"] for one in sectors[:-1]] == [one["TimeSectorStart"] for one in sectors[1:]]
    assert (len(sectors), sectors[0]["TimeSectorStart"]) == (31, "2026-10-01T00:00:00Z")
    assert {(one["TimeSectorComplete"], one["TimeSectorLastUpdated"]) for one in sectors} == {
        (False, "2026-11-02T10:30:00Z")
    }
    ClosedMonth.objects.create(month=dt.date(2026, 10, 1), closed_at=dt.datetime(2026, 11, 1, 9, tzinfo=dt.UTC))
    sectors = metadata_of()["Recency"][0]["TimeSectors"]
    assert {(one["TimeSectorComplete"], one["TimeSectorLastUpdated"]) for one in sectors} == {
        (True, "2026-11-01T09:00:00Z")
    }


def test_what_has_not_begun_is_left_out() -> None:
    november = Month(start=dt.datetime(2026, 11, 1, tzinfo=dt.UTC), grain=Grain.HOUR)
    sectors = metadata_of(november)["Recency"][0]["TimeSectors"]
    assert (len(sectors), sectors[-1]["TimeSectorStart"]) == (24 + 11, "2026-11-02T10:00:00Z")
    first = Month(start=NOW.replace(day=1, hour=0, minute=0))
    assert len(metadata_of(first)["Recency"][0]["TimeSectors"]) == 2


@pytest.mark.parametrize("grain", ["day", "hour"])
def test_a_file_leads_to_its_own(as_alice: Client, api: APIClient, as_olga: Client, tenant: Tenant, grain: str) -> None:
    month = OCTOBER if grain == "day" else BY_HOUR
    for client, address, only in (
        (as_alice, "/usage/focus/", tenant),
        (api, "/api/v1/usage/focus/", tenant),
        (as_olga, "/operator/focus/", None),
        (as_olga, f"/operator/focus/?organisation={tenant.slug}", tenant),
    ):
        query = f"month=2026-10&grain={grain}&file_type=parquet"
        answer: Any = client.get(f"{address}{'&' if '?' in address else '?'}{query}")
        link = answer["Link"]
        assert link.endswith('; rel="describedby"; type="application/json"')
        found: Any = client.get(urljoin(address, link[1 : link.index(">")]))
        assert found["Content-Type"] == "application/json"
        assert found.json() == metadata_of(month, only=only, file_type="parquet")


def test_others_get_none(as_rita: Client, as_alice: Client, api: APIClient) -> None:
    assert as_rita.get("/usage/focus/metadata/").status_code == 403
    assert as_alice.get("/operator/focus/metadata/").status_code == 404
    assert as_alice.get("/usage/focus/metadata/?month=soon").status_code == 400
    assert api.get("/api/v1/usage/focus/metadata/?month=2999-01").status_code == 400


def test_the_command_writes_it_beside_the_file(tenant: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "all.parquet"
    call_command("focus", str(path), month="2026-10", grain="hour", stdout=io.StringIO())
    assert json.loads((tmp_path / "all.parquet.metadata.json").read_bytes()) == metadata_of(
        BY_HOUR, file_type="parquet"
    )
