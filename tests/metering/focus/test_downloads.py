"""The file from the command line, the pages and REST, as CSV and Parquet, and who gets which."""

import csv
import io
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from metering.focus.columns import COLUMNS, Type
from tenants.models import Tenant
from tests.metering.focus.conftest import Row, rows_of, run, total, unknown_rows

pytestmark = pytest.mark.django_db


def read(answer: Any) -> list[Row]:
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith("attachment")
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


def test_parquet_has_the_same_with_types(october: None, tmp_path: Path) -> None:
    path = tmp_path / "october.parquet"
    call_command("focus", str(path), month="2026-10", stdout=io.StringIO())
    table = pq.read_table(path)
    rows = rows_of()
    assert table.schema.names == [column.name for column in COLUMNS]
    for column in COLUMNS:
        values = table.column(column.name).to_pylist()
        assert [value is None for value in values] == [row[column.name] == "" for row in rows], column.name
        if column.type == Type.DECIMAL:
            assert values == [Decimal(row[column.name]) if row[column.name] else None for row in rows]
        elif column.type == Type.TIME:
            assert {str(value.tzinfo) for value in values} == {"UTC"}
    assert "=Ours" in table.column("ResourceName").to_pylist()


def test_the_command_writes_what_has_no_price_beside_it(october: None, tenant: Tenant, tmp_path: Path) -> None:
    path, said = tmp_path / "own.csv", io.StringIO()
    call_command("focus", str(path), month="2026-10", organisation=tenant.slug, stdout=said)
    assert list(csv.DictReader(path.open())) == rows_of(only=tenant)
    rest = tmp_path / "own.csv.unknown.csv"
    assert not rest.exists()
    run(tenant, usd_per_hour=None)
    call_command("focus", str(path), month="2026-10", organisation=tenant.slug, stdout=said)
    assert list(csv.DictReader(rest.open())) == unknown_rows(only=tenant)
    assert "1 lines without a known cost" in said.getvalue()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"month": "2026-13"}, "Write the month as 2026-10"),
        ({"month": "2999-01"}, "Choose this month or an earlier one"),
        ({"month": "2026-10", "organisation": "nobody"}, "no organisation nobody"),
        ({"month": "2026-10", "organisation": "alder-law", "unsplit": True}, "Leave out"),
    ],
)
def test_the_command_says_what_is_wrong(tenant: Tenant, tmp_path: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("focus", str(tmp_path / "x.csv"), **options)
    with pytest.raises(CommandError, match="No such file"):
        call_command("focus", str(tmp_path / "nowhere" / "x.csv"), month="2026-10")


def test_members_get_their_own_file(october: None, as_alice: Client, as_rita: Client, tenant: Tenant) -> None:
    assert read(as_alice.get("/usage/focus/?month=2026-10")) == rows_of(only=tenant)
    run(tenant, usd_per_hour=None)
    assert read(as_alice.get("/usage/focus/unknown/?month=2026-10")) == unknown_rows(only=tenant)
    # Nothing in the query chooses another organisation.
    assert read(as_alice.get("/usage/focus/?month=2026-10&organisation=cedar-care")) == rows_of(only=tenant)
    assert as_rita.get("/usage/focus/").status_code == 403
    assert as_alice.get("/usage/focus/?month=soon").status_code == 400
    assert as_alice.get("/operator/focus/").status_code == 404


def test_the_usage_page_links_to_both(as_alice: Client, tenant: Tenant) -> None:
    run(tenant, finished_at=timezone.now())
    page = as_alice.get("/usage/").content.decode()
    assert "/usage/focus/?month=" in page
    assert "/usage/focus/unknown/" not in page
    run(tenant, finished_at=timezone.now(), usd_per_hour=None)
    assert "/usage/focus/unknown/?month=" in as_alice.get("/usage/").content.decode()


def test_the_operator_gets_all_or_one(october: None, as_olga: Client, tenant: Tenant) -> None:
    assert read(as_olga.get("/operator/focus/?month=2026-10")) == rows_of()
    assert read(as_olga.get("/operator/focus/?month=2026-10&unsplit=1")) == rows_of(unsplit=True)
    assert read(as_olga.get(f"/operator/focus/?month=2026-10&organisation={tenant.slug}")) == rows_of(only=tenant)
    assert read(as_olga.get("/operator/focus/unknown/?month=2026-10")) == unknown_rows()
    assert as_olga.get("/operator/focus/?organisation=nobody").status_code == 404


def test_rest_gives_an_organisation_its_own(october: None, api: APIClient, tenant: Tenant) -> None:
    assert read(api.get("/api/v1/usage/focus/?month=2026-10")) == rows_of(only=tenant)
    hours = read(api.get("/api/v1/usage/focus/?month=2026-10&grain=hour"))
    assert len(hours) > len(rows_of(only=tenant))
    assert total(hours, "BilledCost") == total(rows_of(only=tenant), "BilledCost")
    answer: Any = api.get("/api/v1/usage/focus/?month=2026-10&file_type=parquet")
    assert answer["Content-Type"] == "application/vnd.apache.parquet"
    assert pq.read_table(io.BytesIO(b"".join(answer.streaming_content))).num_rows == len(rows_of(only=tenant))
    run(tenant, usd_per_hour=None)
    assert read(api.get("/api/v1/usage/focus/unknown/?month=2026-10")) == unknown_rows(only=tenant)
    for query, field in (("month=2026-1x", "month"), ("grain=month", "grain"), ("file_type=xlsx", "file_type")):
        answer = api.get(f"/api/v1/usage/focus/?{query}")
        assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, [field])


def test_queries_do_not_grow_with_what_was_used(
    october: None, tenant: Tenant, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for number in range(40):
        run(tenant, billable_seconds=10.0 + number)
    # One for each day of the month, and a few for names and prices.
    with django_assert_max_num_queries(60):
        rows_of()
