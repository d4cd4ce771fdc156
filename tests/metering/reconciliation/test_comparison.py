"""Bill and site by day and thing: the difference, and why it may be."""

import datetime as dt
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from metering.models import BillImport, BillLine, BillSubject
from metering.prices.services import set_rate
from metering.reconciliation.comparison import Compared, compared, summary_of
from metering.reconciliation.reasons import reasons
from metering.usage.ranges import HOUR
from tenants.models import Tenant
from tests.metering.reconciliation.bills import CUR, Line, csv_of, ec2, line
from tests.metering.reconciliation.conftest import DAY, OCTOBER, imported, measured, ran

pytestmark = pytest.mark.django_db
PAGE = "/operator/reconciliation/"


def day_of(**changes: Any) -> list[Line]:
    """24 hours of the endpoint."""
    return [line(f"2026-10-05T{hour:02}", **changes) for hour in range(24)]


def only_row() -> Compared:
    [row] = compared(OCTOBER)
    return row


def test_the_same_is_the_same() -> None:
    measured()
    imported(csv_of(CUR, day_of()))
    row = only_row()
    assert (row.bill_cost, row.site_cost, row.difference, row.percent) == (
        Decimal(36),
        Decimal(36),
        Decimal(0),
        Decimal(0),
    )
    assert (row.subject, row.name, row.day, reasons(row)) == (BillSubject.ENDPOINT, "shared", DAY, [])


@pytest.mark.parametrize(
    ("site", "bill", "difference", "said"),
    [
        ({"hours": 20}, {}, "6", "The bill has 24 hours of instances, the site 20 hours: some were not measured."),
        ({}, {"quantity": "2", "listed": "3", "net": "3"}, "36", "it may run 2 times the instances"),
        ({"instances": 2}, {}, "-36", "the bill may not be final yet"),
        ({"price": "1.2"}, {}, "7.2", "An hour is 1.5000 in the bill before discounts, 1.2000 here."),
        ({}, {"net": "1.2"}, "-7.2", "Discounts or a Savings Plan take 20.0% off."),
        ({"price": ""}, {}, None, "24 hours without a price on this site."),
        ({"hours": 0}, {}, "36", "The site measured nothing on this day."),
    ],
)
def test_a_difference_has_a_reason(
    site: dict[str, Any], bill: dict[str, str], difference: str | None, said: str
) -> None:
    measured(**site)
    imported(csv_of(CUR, day_of(**bill)))
    row = only_row()
    assert row.difference == (None if difference is None else Decimal(difference))
    assert any(said in reason for reason in reasons(row)), reasons(row)


def test_credits_and_other_usage_are_told_apart() -> None:
    measured()
    credit = line(line_type="Credit", quantity="0", listed="-5", net="-5")
    volume = line(usage_type="EUW1-Host:VolumeUsage.gp2", quantity="100", unit="GB-Mo", listed="0.4", net="0.4")
    imported(csv_of(CUR, [*day_of(), credit, volume]))
    row = only_row()
    assert row.difference == Decimal("-4.6")
    assert reasons(row) == ["Credits and refunds: -5.0000.", "Storage, data and other usage: 0.4000."]


def test_a_discount_in_lines_of_its_own_is_one() -> None:
    measured()
    off = [line(f"2026-10-05T{hour:02}", line_type="EdpDiscount", listed="-0.15", net="-0.15") for hour in range(24)]
    imported(csv_of(CUR, [*day_of(), *off]))
    assert only_row().difference == Decimal("-3.6")
    assert reasons(only_row()) == ["Discounts or a Savings Plan take 10.0% off."]


def test_a_day_that_the_bill_lacks_is_told() -> None:
    measured()
    measured(DAY + 24 * HOUR)
    measured(DAY + 48 * HOUR)
    imported(csv_of(CUR, [*day_of(), line("2026-10-06T00", resource="arn:aws:sagemaker:eu-west-1:1:endpoint/x")]))
    # What came after the bill's last day is not compared: it will be in a later one.
    sixth = [row for row in compared(OCTOBER) if row.subject == BillSubject.ENDPOINT and row.day > DAY]
    assert [row.difference for row in sixth] == [Decimal(-36)]
    assert "Not in the bill." in reasons(sixth[0])[0]


def test_a_job_is_one_line_on_the_day_it_ended(tenant: Tenant) -> None:
    job, arn = ran(tenant)
    train = {"resource": arn, "usage_type": "EUW1-Train:ml.g6e.xlarge", "quantity": "0.5", "listed": "1", "net": "1"}
    imported(csv_of(CUR, [line("2026-10-04T23", **train), line("2026-10-05T00", **train)]))
    row = only_row()
    assert (row.subject, row.day, row.difference) == (BillSubject.JOB, DAY, Decimal(0))
    assert row.name == f"Training {str(job.id)[:8]}"
    ran(tenant, started_at=OCTOBER - HOUR, finished_at=OCTOBER + HOUR, usd_per_hour=None)
    [_, older] = compared(OCTOBER)
    assert (older.site_cost, older.difference) == (None, None)
    assert "Not in the bill." in reasons(older)[0]


def test_what_is_not_ours_is_in_no_total() -> None:
    measured()
    imported(csv_of(CUR, [*day_of(net="1.8"), line(resource="arn:aws:sagemaker:eu-west-1:1:endpoint/x", net="7")]))
    rows = compared(OCTOBER)
    total = summary_of(OCTOBER, rows)
    assert [total.bill, total.site, total.others, total.unknown] == [Decimal("43.2"), 36, 7, 0]
    assert (total.difference, total.percent) == (Decimal("7.2"), Decimal(20))
    [other] = [row for row in rows if row.subject == BillSubject.OTHER]
    assert reasons(other) == ["No endpoint or job of this site."]


def test_other_currencies_need_a_rate() -> None:
    measured()
    imported(csv_of(CUR, day_of(currency="EUR", listed="1", net="1")))
    row = only_row()
    assert (row.bill_cost, row.difference) == (None, None)
    assert reasons(row)[0] == "No exchange rate for EUR on this day. Add it under Prices."
    assert summary_of(OCTOBER, [row]).unknown == 1
    set_rate(currency="EUR", rate=Decimal("1.5"), valid_from=OCTOBER, set_by=None)
    assert only_row().difference == 0


def uploaded(client: Client, *data: bytes) -> str:
    files = [SimpleUploadedFile(f"bill {number}.csv", one) for number, one in enumerate(data)]
    answer = client.post(f"{PAGE}import/", {"bill": files}, follow=True)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_operator_imports_and_compares(as_olga: Client, as_alice: Client, settings: Settings) -> None:
    measured()
    assert "Import a bill" in as_olga.get(PAGE).content.decode()
    page = uploaded(as_olga, csv_of(CUR, [*day_of(net="1.2"), ec2()]), csv_of(CUR, [line("2026-09-30T00")]))
    for part in ("Bill imported: 25 of 26 rows", "October 2026", "September 2026", "\u22127.20", "\u221220.0%",
                 "Discounts or a Savings Plan take 20.0% off", "Olga", "bill 0.csv, bill 1.csv"):  # fmt: skip
        assert part in page, part
    # Months and days are those of UTC, wherever the site is.
    settings.TIME_ZONE = "America/New_York"
    assert "6 Oct 2026" not in (page := as_olga.get(f"{PAGE}?month=2026-10").content.decode())
    assert "October 2026" in page
    assert "5 Oct 2026" in page
    assert as_olga.get(f"{PAGE}?month=nonsense&page=x").status_code == 200
    assert PAGE in as_olga.get("/operator/prices/").content.decode()
    assert (as_alice.get(PAGE).status_code, as_alice.post(f"{PAGE}import/").status_code) == (404, 404)


def test_a_wrong_file_is_told_at_the_form(as_olga: Client) -> None:
    assert "not the columns of an AWS Cost and Usage Report" in uploaded(as_olga, b"a,b\n1,2\n")
    assert "This field is required" in uploaded(as_olga)
    assert (BillLine.objects.count(), BillImport.objects.count()) == (0, 0)


def test_the_command_imports_and_prints(tmp_path: Path) -> None:
    measured()
    path, said = tmp_path / "bill.csv", io.StringIO()
    path.write_bytes(csv_of(CUR, day_of(net="1.2")))
    call_command("reconcile", str(path), stdout=said)
    text = said.getvalue()
    for part in ("24 of 24 rows kept", "2026-10-05  Endpoint shared", "-7.2000", "-20.00%", "Discounts or", "Total"):
        assert part in text, part
    assert BillImport.objects.get().imported_by is None
    with pytest.raises(CommandError, match="No such file"):
        call_command("reconcile", str(tmp_path / "missing.csv"))
    path.write_bytes(b"")
    with pytest.raises(CommandError, match="empty"):
        call_command("reconcile", str(path))


def test_the_day_of_an_hour_is_utc() -> None:
    imported(csv_of(CUR, [line("2026-10-05T23")]))
    assert only_row().day == DAY
    assert only_row().day.tzinfo == dt.UTC
