"""What judges and outside models cost is lines of its own: by who is paid, by judge, and never 0 where not known."""

import csv
import datetime as dt
import importlib
import io
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from jsonschema import Draft202012Validator
from rest_framework.test import APIClient

from evaluations.models import JudgeUsage, PaidTo
from jobs.models import Job
from jobs.states import State
from metering.costs.export import costs_csv
from metering.costs.queries import CostSummary, costs_of
from tenants.models import Tenant
from tenants.scope import system_scope, tenant_scope

pytestmark = pytest.mark.django_db


def used(tenant: Tenant, **changes: object) -> None:
    plain = {
        "hour": timezone.now().replace(minute=0, second=0, microsecond=0), "purpose": "judging", "paid_to": "provider",
        "judge_key": "j", "judge_name": "Strict", "calls": 10, "tokens_in": 1000, "tokens_out": 100, "usd": Decimal(2),
    }  # fmt: skip
    with tenant_scope(tenant.id):
        JudgeUsage.objects.create(tenant=tenant, **{**plain, **changes})


def train(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        Job.objects.create(
            tenant=tenant, kind="training", title="Train", state=State.SUCCEEDED, finished_at=timezone.now(),
            billable_seconds=3600.0, usd_per_hour=Decimal("0.5"), price_source="price list",
        )  # fmt: skip


@pytest.fixture
def everything(tenant: Tenant) -> Tenant:
    """Of every payee and purpose, and one without a price."""
    train(tenant)
    used(tenant)
    used(tenant, judge_name="Mild", judge_key="k", usd=Decimal("0.25"))
    used(tenant, judge_name="Free", judge_key="f", usd=0, calls_without_price=10)
    used(tenant, judge_name="Shared", judge_key="shared", paid_to="site", usd=Decimal("0.125"))
    used(tenant, judge_name="Ours", judge_key="o", paid_to="serving", usd=Decimal(7))
    used(tenant, purpose="answering", usd=Decimal("0.5"))
    used(tenant, purpose="testing", usd=0, tokens_in=0, tokens_out=0, calls_without_tokens=10)
    return tenant


def last_day() -> CostSummary:
    return costs_of(timezone.now() - dt.timedelta(days=1), timezone.now())


def test_each_purpose_and_payee_has_its_line(everything: Tenant) -> None:
    with tenant_scope(everything.id):
        costs = last_day()
    assert [(line.title, line.paid_to, line.usd) for line in costs.lines] == [
        ("Training", "site", Decimal("0.500000")),
        ("Outside models", "provider", Decimal("0.500000")),
        ("Judging", "provider", Decimal("2.250000")),
        ("Judging", "serving", None),
        ("Judging", "site", Decimal("0.125000")),
        ("Testing judges", "provider", None),
    ]
    by_title = {(line.title, line.paid_to): line for line in costs.lines}
    judging = by_title["Judging", PaidTo.PROVIDER].calls
    assert judging is not None
    assert (judging.calls, judging.without_price, judging.tokens_in) == (30, 10, 3000)
    assert by_title["Testing judges", PaidTo.PROVIDER].price_source == "No tokens reported"


def test_parts_sum_to_their_lines_and_lines_to_the_total(everything: Tenant) -> None:
    with tenant_scope(everything.id):
        costs = last_day()
    assert (costs.site_usd, costs.provider_usd) == (Decimal("0.625"), Decimal("2.75"))
    assert costs.total_usd == costs.site_usd + costs.provider_usd == sum(line.usd or 0 for line in costs.lines)
    for line in costs.lines:
        parts = [part for part in costs.judges if (part.purpose, part.paid_to) == (line.kind, line.paid_to)]
        if line.calls is not None:
            assert sum(part.usd or 0 for part in parts) == (line.usd or 0)
            assert sum(part.calls.calls for part in parts) == line.calls.calls
    assert costs.calls_without_cost == 20


def test_cents_too_small_to_show_still_sum(in_tenant: Tenant) -> None:
    for number in range(3):
        used(in_tenant, judge_key=str(number), usd=Decimal("0.0000004999"))
    costs = last_day()
    assert costs.total_usd == sum(part.usd or 0 for part in costs.judges) == 0


def test_a_period_has_its_hours_only(in_tenant: Tenant) -> None:
    hour = dt.datetime(2026, 3, 31, 23, tzinfo=dt.UTC)
    used(in_tenant, hour=hour)
    used(in_tenant, hour=hour + dt.timedelta(hours=1), usd=Decimal(3))
    march, april, may = (dt.datetime(2026, month, 1, tzinfo=dt.UTC) for month in (3, 4, 5))
    assert (costs_of(march, april).total_usd, costs_of(april, may).total_usd) == (Decimal(2), Decimal(3))


def test_other_tenants_costs_are_not_seen(in_tenant: Tenant, other_tenant: Tenant) -> None:
    used(other_tenant)
    assert last_day().judges == []


def test_the_page_says_who_is_paid_and_what_is_not_known(everything: Tenant, as_alice: Client) -> None:
    page = " ".join(as_alice.get("/usage/?range=24h").content.decode().split())
    for text in (
        "paid to your provider: tokens", "no price set", "no tokens reported", "in Serving",
        "$2.75 of it to your provider",
        "Without 20 calls whose cost is not known", "<span>This site</span> <span>0.625000</span>",
        "<span>Paid to your provider</span> <span>2.750000</span>", "<span>Total</span> <span>3.375000</span>",
    ):  # fmt: skip
        assert text in page, text


def test_rest_tells_the_same(everything: Tenant, api: APIClient) -> None:
    document = api.get("/api/v1/usage/").json()
    assert [document[name] for name in ("total_usd", "site_usd", "provider_usd", "calls_without_cost")] == [
        "3.375000", "0.625000", "2.750000", 20,
    ]  # fmt: skip
    free = next(part for part in document["judges"] if part["name"] == "Free")
    assert free == {
        "purpose": "judging", "judge": "f", "name": "Free", "paid_to": "provider", "usd": None,
        "calls": {"calls": 10, "without_price": 10, "without_tokens": 0, "tokens_in": 1000, "tokens_out": 100},
    }  # fmt: skip


def test_a_line_names_every_source_of_its_prices(in_tenant: Tenant) -> None:
    used(in_tenant, price_source="AWS price list, 1 Aug 2026")
    used(in_tenant, price_source="Set by your site’s operator on 2 Aug 2026")
    [line], [judge] = last_day().lines, last_day().judges
    assert line.price_source == "AWS price list, 1 Aug 2026; Set by your site’s operator on 2 Aug 2026"
    assert (judge.calls.calls, judge.usd) == (20, Decimal(4))
    used(in_tenant, judge_name="Old")
    assert last_day().lines[0].price_source == line.price_source


def test_prices_of_an_hour_are_one_row_again_backwards(in_tenant: Tenant, other_tenant: Tenant) -> None:
    for source in ("", "one", "another"):
        used(in_tenant, price_source=source)
    used(in_tenant, judge_name="Mild", price_source="one")
    used(other_tenant, price_source="one")
    migration = importlib.import_module("evaluations.migrations.0029_sources_of_judge_prices")
    with connection.schema_editor() as editor:
        migration.add_up(None, editor)
    with system_scope():
        rows = JudgeUsage.objects.values_list("tenant", "judge_name", "calls", "usd")
        assert set(rows) == {
            (in_tenant.id, "Mild", 10, Decimal(2)),
            (in_tenant.id, "Strict", 30, Decimal(6)),
            (other_tenant.id, "Strict", 10, Decimal(2)),
        }


def test_the_file_sums_to_the_total(everything: Tenant, as_alice: Client) -> None:
    response = as_alice.get("/usage/costs.csv?range=24h")
    assert response["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert len(rows) == 8
    assert sum(Decimal(row["usd"] or 0) for row in rows) == Decimal("3.375")
    assert {row["judge"]: row["usd"] for row in rows if row["paid_to"] == "serving"} == {"Ours": ""}


def test_no_cell_of_the_file_is_a_formula(in_tenant: Tenant) -> None:
    used(in_tenant, judge_name="=1+1")
    assert "'=1+1" in costs_csv(last_day())


def test_a_reviewer_gets_no_file(as_rita: Client) -> None:
    assert as_rita.get("/usage/costs.csv").status_code == 403


def test_queries_do_not_grow_with_judges(in_tenant: Tenant, django_assert_num_queries: Callable[..., object]) -> None:
    for number in range(30):
        used(in_tenant, judge_key=str(number), judge_name=f"Judge {number}")
    with django_assert_num_queries(5):  # type: ignore[attr-defined]
        assert len(last_day().judges) == 30


def test_what_is_not_known_fits_the_document(everything: Tenant, api: APIClient, client: Client) -> None:
    document = client.get(reverse("openapi"), headers={"Accept": "application/vnd.oai.openapi+json"}).json()
    schema = {"$ref": "#/components/schemas/Usage", "components": document["components"]}
    answer = api.get("/api/v1/usage/").json()
    assert [error.message for error in Draft202012Validator(schema).iter_errors(answer)] == []
