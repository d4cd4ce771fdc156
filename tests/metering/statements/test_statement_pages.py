"""The pages, REST and files of statements say one number, each to its own organisation only."""

import csv
import datetime as dt
import io
import re
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from metering.statements.pdf import statement_pdf
from metering.statements.queries import statement_of
from metering.statements.services import add_adjustment
from metering.usage.ranges import HOUR
from tenants.models import AuditEvent, Tenant
from tenants.scope import tenant_scope
from tests.metering.statements.conftest import NOVEMBER, OCTOBER, Clock, job, judged
from tests.metering.statements.test_closing import close

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]
LIST = "/usage/statements/"


def text_of(client: Client, address: str) -> str:
    return " ".join(client.get(address).content.decode().split("<main")[1].split())


def due_on_page(client: Client) -> Decimal:
    found = re.search(r'data-testid="due">([\d.,−]+)<', text_of(client, f"{LIST}2026-10/"))
    assert found
    return Decimal(found[1].replace(",", "").replace("−", "-"))


@pytest.mark.parametrize("is_closed", [False, True])
def test_page_rest_csv_and_pdf_are_one_number(
    october: Tenant, as_alice: Client, api: APIClient, clock: Clock, is_closed: bool
) -> None:
    with tenant_scope(october.id):
        add_adjustment(tenant=october, month=OCTOBER, amount=Decimal("-0.05"), reason="Credit")
    if is_closed:
        close()
    rest = api.get("/api/v1/statements/2026-10/").json()
    rows = list(csv.DictReader(io.StringIO(as_alice.get(f"{LIST}2026-10.csv").content.decode())))
    ours = [row for row in rows if row["paid_to"] == "site"]
    assert rest["due"] == "0.251111"
    assert (rest["use"], rest["adjustments"], rest["provider"]) == ("0.301111", "-0.050000", "0.333333")
    assert sum(Decimal(row["amount"]) for row in ours if row["amount"]) == Decimal(rest["due"])
    assert sum(Decimal(row["shown"]) for row in ours if row["shown"]) == Decimal("0.25") == due_on_page(as_alice)
    assert rest["shown_due"] == "0.25"
    assert [(line["title"], line["amount"], line["shown"]) for line in rest["lines"]] == [
        (row["item"], row["amount"] or None, row["shown"] or None) for row in rows
    ]
    assert rest["state"] == rows[0]["state"] == ("closed" if is_closed else "open")
    assert bool(rest["sha256"]) == bool(rest["closed_at"]) == is_closed
    with tenant_scope(october.id):
        found = statement_of(october, "2026-10")
        expected = statement_pdf(found.document, found.sha256)
    for client, address in ((as_alice, f"{LIST}2026-10.pdf"), (api, "/api/v1/statements/2026-10/pdf/")):
        answer = client.get(address)
        assert (answer.content, answer["Content-Type"]) == (expected, "application/pdf")
        assert 'filename="alder-law-2026-10.pdf"' in answer["Content-Disposition"]
    same = api.get("/api/v1/statements/2026-10/csv/", headers={"Accept": "application/json"})
    assert same.content == as_alice.get(f"{LIST}2026-10.csv").content


def test_the_list_has_all_months_with_their_state_and_change(
    october: Tenant, as_alice: Client, api: APIClient, clock: Clock
) -> None:
    job(october, finished_at=dt.datetime(2026, 9, 25, tzinfo=dt.UTC), billable_seconds=180.0)
    close()
    page = text_of(as_alice, LIST)
    assert [page.index(name) for name in ("November 2026", "October 2026", "September 2026")] == sorted(
        page.index(name) for name in ("November 2026", "October 2026", "September 2026")
    )
    for part in ("so far", "Closed", "5 November 2026", "↑ 201.1%", "without 2 lines of unknown cost",
                 "0.33 to your providers", "alder-law-2026-11"):  # fmt: skip
        assert part in page, part
    found = api.get("/api/v1/statements/").json()["results"]
    assert [(one["month"], one["state"], one["due"]) for one in found] == [
        ("2026-11", "open", "0.000000"), ("2026-10", "closed", "0.301111"), ("2026-09", "closed", "0.100000")
    ]  # fmt: skip


def test_a_running_month_is_so_far_and_empty_ones_say_so(tenant: Tenant, as_alice: Client) -> None:
    page = text_of(as_alice, f"{LIST}2026-11/")
    for part in ("Amount due so far", "The figures still change.", "Nothing to charge", "It has no taxes."):
        assert part in page, part


def test_usage_links_to_the_statement_of_its_month(tenant: Tenant, as_alice: Client) -> None:
    page = text_of(as_alice, "/usage/?range=last-month")
    assert f'href="{LIST}2026-10/">Statement for October 2026</a>' in page
    assert "Statement for" not in text_of(as_alice, "/usage/?range=7d")
    assert f'href="{LIST}"' in page


def test_nobody_sees_what_is_not_theirs(
    october: Tenant, as_charlie: Client, as_rita: Client, other_api: APIClient, as_olga: Client
) -> None:
    close()
    for answer in (as_charlie.get(f"{LIST}2026-10/"), other_api.get("/api/v1/statements/2026-10/")):
        said = answer.content.decode()
        assert answer.status_code == 200
        assert "cedar-care-2026-10" in said
        assert [part for part in ("strict", "tickets", "alder") if part in said.lower()] == []
    for address in (LIST, f"{LIST}2026-10/", f"{LIST}2026-10.csv", f"{LIST}2026-10.pdf"):
        assert as_rita.get(address).status_code == 403
        assert as_olga.get(address).status_code == 403
        assert Client().get(address).status_code == 302


@pytest.mark.parametrize("key", ["2026-08", "2026-12", "2026-13", "abc", "0000-00", "2026-10-01"])
def test_a_month_without_statement_is_not_found(tenant: Tenant, as_alice: Client, api: APIClient, key: str) -> None:
    for address in (f"{LIST}{key}/", f"{LIST}{key}.csv", f"{LIST}{key}.pdf"):
        assert as_alice.get(address).status_code == 404
    answer = api.get(f"/api/v1/statements/{key}/")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_names_are_escaped_in_every_form(tenant: Tenant, as_alice: Client) -> None:
    judged(tenant, judge_name="=cmd|'/C calc'!A0")
    with tenant_scope(tenant.id):
        add_adjustment(tenant=tenant, month=OCTOBER, amount=Decimal(-1), reason="=1+1 <script>alert(1)</script>")
    page = as_alice.get(f"{LIST}2026-10/").content.decode()
    assert "<script>alert(1)" not in page
    rows = list(csv.DictReader(io.StringIO(as_alice.get(f"{LIST}2026-10.csv").content.decode())))
    assert [row["item"][:2] for row in rows] == ["Ju", "'="]
    assert as_alice.get(f"{LIST}2026-10.pdf").status_code == 200


def test_a_long_list_takes_few_queries(
    tenant: Tenant, as_alice: Client, clock: Clock, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    close()
    with django_assert_max_num_queries(22):
        as_alice.get(LIST)
    with django_assert_max_num_queries(16):
        as_alice.get(f"{LIST}2026-10/")


def test_the_chart_has_the_costs_of_each_day(october: Tenant, as_alice: Client) -> None:
    job(october, finished_at=dt.datetime(2026, 10, 31, 23, tzinfo=dt.UTC) + HOUR / 2)
    page = as_alice.get(f"{LIST}2026-10/").content.decode()
    assert "Costs by day" in page
    assert re.findall(r"Cost per day: [^<\"]*", page)[0] == "Cost per day: 0.83 USD in all."


OPERATOR = "/operator/statements/"


def test_operators_see_every_sum_and_no_line(october: Tenant, as_olga: Client, as_alice: Client) -> None:
    assert as_alice.get(OPERATOR).status_code == 404
    page = text_of(as_olga, f"{OPERATOR}?month=2026-10")
    for part in ("Alder Law", "0.30", "0.33", "Cedar Care", "September 2026 is still open"):
        assert part in page, part
    assert "Close October 2026" not in page
    assert [part for part in ("Strict", "clauses") if part in page] == []
    assert "Close September 2026" in text_of(as_olga, OPERATOR)
    assert OPERATOR in as_olga.get("/operator/prices/").content.decode()


def test_an_operator_closes_a_month(october: Tenant, as_olga: Client, as_alice: Client) -> None:
    def sent(month: str) -> str:
        return " ".join(
            as_olga.post(reverse("statements:close"), {"month": month}, follow=True).content.decode().split()
        )

    assert "is still open. Months are closed in order." in sent("2026-10")
    assert "September 2026 is closed." in sent("2026-09")
    page = sent("2026-10")
    assert "October 2026 is closed." in page
    assert "Closed on 5 November 2026 by Olga" in page
    assert "isn’t over" in sent("2026-11")
    assert as_olga.post(reverse("statements:close"), {"month": "2031-01"}).status_code == 404
    assert as_alice.post(reverse("statements:close"), {"month": "2026-11"}).status_code == 404
    assert "Closed" in text_of(as_alice, f"{LIST}2026-10/")


def test_an_operator_adjusts_an_open_statement_and_no_closed_one(
    october: Tenant, as_olga: Client, as_alice: Client, clock: Clock
) -> None:
    address = f"{reverse('statements:adjust', args=[october.id])}?month="

    def sent(month: str, **values: str) -> str:
        return " ".join(as_olga.post(address + month, values, follow=True).content.decode().split())

    assert "Adjustment added for Alder Law." in sent("2026-11", amount="-25", reason="Credit for the outage")
    page = text_of(as_alice, f"{LIST}2026-11/")
    for part in ("Credit for the outage", "−25.00", "Set by your site’s operator"):
        assert part in page, part
    for amount in ("0", "NaN", "1e9", "0.001", "-1000001", ""):
        assert "Adjustment added" not in sent("2026-11", amount=amount, reason="x")
    assert "This field is required" in sent("2026-11", amount="1", reason=" ")
    close()
    assert "October 2026 is closed. Add the adjustment to an open month" in sent("2026-10", amount="1", reason="x")
    assert as_alice.get(address + "2026-11").status_code == 404
    with tenant_scope(october.id):
        assert statement_of(october, "2026-11").document.adjustment_micros == -25_000_000


def test_adjustments_are_recorded_for_the_organisation(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        add_adjustment(tenant=tenant, month=NOVEMBER, amount=Decimal("12.5"), reason="Set-up")
        [event] = AuditEvent.objects.filter(action="statement.adjusted")
    assert event.after == {"month": "2026-11", "micros": 12_500_000, "reason": "Set-up"}
