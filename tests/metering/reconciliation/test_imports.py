"""Bills are read in every layout of AWS, kept to what is SageMaker's, and replaced when they come again."""

import io
import tracemalloc
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from metering.models import BillImport, BillLine, EndpointHour
from metering.reconciliation.errors import WrongBill
from metering.reconciliation.files import Counted, read_rows
from metering.reconciliation.layouts import chosen, plain_name
from tenants.models import Tenant
from tests.metering.reconciliation.bills import CUR, FOCUS, LAYOUTS, LEGACY, csv_of, ec2, gz, line, parquet_of
from tests.metering.reconciliation.conftest import imported, measured, ran

pytestmark = pytest.mark.django_db


def kept() -> list[tuple[Any, ...]]:
    names = ("start", "subject", "subject_name", "usage_type", "region", "currency", "quantity", "listed_cost",
             "net_cost")  # fmt: skip
    return list(BillLine.objects.order_by("start", "subject", "usage_type", "currency").values_list(*names))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_says_the_same(layout: str, tenant: Tenant) -> None:
    job, arn = ran(tenant)
    lines = [
        line(), line(quantity="0.5", listed="0.75", net="0.6"), line("2026-10-05T01"), ec2(),
        line("2026-10-05T07", resource=arn, usage_type="EUW1-Train:ml.g6e.xlarge", quantity="0.25", listed="0.5",
             net="0.5"),
        line(resource="arn:aws:sagemaker:eu-west-1:1:endpoint/somebody-elses"),
        line(resource="arn:aws:sagemaker:us-east-1:1:endpoint/prod-eu"),
    ]  # fmt: skip
    result = imported(LAYOUTS[layout](lines))
    assert (result.rows_read, result.rows_kept, result.periods) == (7, 6, "123456789012 2026-10")
    found = [(f"{start:%dT%H}", *rest) for start, *rest in kept()]
    assert found == [
        ("05T00", "endpoint", "shared", "EUW1-Host:ml.g5.2xlarge", "eu-west-1", "USD", Decimal("1.5"),
         Decimal("2.25"), Decimal("2.1")),
        ("05T00", "other", "", "EUW1-Host:ml.g5.2xlarge", "eu-west-1", "USD", Decimal(2), Decimal(3), Decimal(3)),
        ("05T01", "endpoint", "shared", "EUW1-Host:ml.g5.2xlarge", "eu-west-1", "USD", Decimal(1), Decimal("1.5"),
         Decimal("1.5")),
        ("05T07", "job", str(job.id), "EUW1-Train:ml.g6e.xlarge", "eu-west-1", "USD", Decimal("0.25"),
         Decimal("0.5"), Decimal("0.5")),
    ]  # fmt: skip


def test_a_bill_that_comes_again_replaces_itself_only() -> None:
    september = line("2026-09-30T23")
    other_account = line(account="999999999999")
    imported(csv_of(CUR, [line(), september, other_account]))
    imported(csv_of(CUR, [line()]))
    assert BillLine.objects.count() == 3
    imported(csv_of(CUR, [line(net="1.2"), line("2026-10-05T05")]))
    assert sorted((one.account[:1], f"{one.start:%m-%dT%H}", one.net_cost) for one in BillLine.objects.all()) == [
        ("1", "09-30T23", Decimal("1.5")), ("1", "10-05T00", Decimal("1.2")), ("1", "10-05T05", Decimal("1.5")),
        ("9", "10-05T00", Decimal("1.5")),
    ]  # fmt: skip
    assert BillImport.objects.count() == 3


def test_files_of_one_bill_come_together() -> None:
    imported(csv_of(CUR, [line()]), gz(csv_of(CUR, [line("2026-10-06T00")])))
    assert BillLine.objects.count() == 2
    with pytest.raises(WrongBill, match="different kinds"):
        imported(csv_of(CUR, [line()]), csv_of(FOCUS, [line()]))


def test_an_import_changes_nothing_that_was_counted() -> None:
    measured()
    before = list(EndpointHour.objects.values())
    imported(csv_of(CUR, [line()]))
    assert list(EndpointHour.objects.values()) == before


def test_commitments_credits_and_taxes() -> None:
    imported(csv_of(CUR, [
        line(line_type="SavingsPlanCoveredUsage", net="", commitment="0.9"),
        line(line_type="SavingsPlanNegation", listed="-1.5", net="-1.5", usage_type="Negation"),
        line(line_type="Credit", quantity="0", listed="-0.4", net="-0.4", usage_type="Credit"),
        line(line_type="Tax", listed="0.3", net="0.3"),
        line("2026-10-05T01", net=""),
    ]))  # fmt: skip
    assert {(row[3], row[8]) for row in kept()} == {
        ("EUW1-Host:ml.g5.2xlarge", Decimal("0.9")), ("Negation", Decimal(0)), ("Credit", Decimal("-0.4")),
        ("EUW1-Host:ml.g5.2xlarge", Decimal("1.5")),
    }  # fmt: skip


def test_currencies_stay_apart() -> None:
    imported(csv_of(CUR, [line(), line(currency="CNY", net="10")]))
    assert [row[5] for row in kept()] == ["CNY", "USD"]


GOOD = csv_of(CUR, [line()])
WITHOUT = {name: value for name, value in CUR.items() if name != "line_item_resource_id"}
BROKEN = {
    "empty": (b"", "The file is empty"),
    "something else": (b"a,b,c\n1,2,3\n", "not the columns"),
    "a manifest": (b'{"assemblyId": 1}', "not its manifest"),
    "a ZIP file": (b"PK\x03\x04rest", "Unpack it"),
    "no resources": (csv_of(WITHOUT, [line()]), "line_item_resource_id is missing. Include resource IDs"),
    "no SageMaker": (csv_of(CUR, [ec2()]), "no lines of SageMaker"),
    "truncated gzip": (gz(GOOD * 50)[:-20], "cut off or damaged"),
    "damaged gzip": (gz(GOOD)[:40] + b"\xff" * 30 + gz(GOOD)[70:], "cut off or damaged"),
    "truncated parquet": (parquet_of(CUR, [line()])[:-30], "cut off or damaged"),
    "parquet in name only": (b"PAR1" * 20, "cut off or damaged"),
    "not UTF-8": (GOOD.replace(b"AmazonSageMaker", b"AmazonSageMaker\xff"), "not text in UTF-8"),
    "a row cut off": (GOOD.rstrip().rpartition(b",")[0] + b"\n", "Row 1: 14 cells, where the header has 15"),
    "1e30": (csv_of(CUR, [line(net="1e30")]), "Row 1, column net cost: too large"),
    "infinite": (csv_of(CUR, [line(quantity="Infinity")]), "Row 1, column quantity: too large"),
    "not a number": (csv_of(CUR, [ec2(), line(listed="1,5")]), "Row 2, column listed cost: not a number"),
    "not a time": (csv_of(CUR, [{**line(), "start": "yesterday"}]), "column start: not a time"),
    "a time of no bill": (csv_of(CUR, [{**line(), "start": "9999-12-31T23:00:00Z"}]), "not a time of a bill"),
    "a currency of none": (csv_of(CUR, [line(currency="XXQ")]), "not the code of a currency"),
    "no account": (csv_of(CUR, [line(account="")]), "not the number of an account"),
    "by the month": (csv_of(CUR, [{**line(), "end": "2026-11-01T00:00:00Z"}]), "by the hour or the day"),
    "a broken map": (csv_of(CUR, [line()], maps=True).replace(b'""region""', b'"region'), ""),
    "a NUL": (csv_of(CUR, [line(usage_type="a\0b")]), ""),
    "a long value": (csv_of(CUR, [line(usage_type="x" * 121)]), "more than 120 characters"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_told_and_changes_nothing(name: str) -> None:
    imported(GOOD)
    data, said = BROKEN[name]
    with pytest.raises(WrongBill, match=said):
        imported(data)
    if name != "no SageMaker":
        with pytest.raises(WrongBill):
            imported(csv_of(CUR, [line("2026-10-09T00")]), data)
    assert [(f"{one.start:%d}", one.net_cost) for one in BillLine.objects.all()] == [("05", Decimal("1.5"))]
    assert BillImport.objects.count() == 1


def test_a_line_without_end_is_not_read_whole() -> None:
    class Endless(io.RawIOBase):
        """A header, and then a line that goes on for a gigabyte."""

        head = csv_of(CUR, [])
        served = 0

        def readable(self) -> bool:
            return True

        def seekable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            piece = (self.head + b"x" * len(buffer))[: len(buffer)] if not self.served else b"x" * len(buffer)
            self.served += len(piece)
            assert self.served < 50_000_000
            buffer[:] = piece
            return len(piece)

        def seek(self, offset: int, whence: int = 0) -> int:
            self.served = 0
            return 0

    with pytest.raises(WrongBill, match="more than a million characters"):
        list(read_rows(io.BufferedReader(Endless()), chosen, Counted()))


def test_a_long_bill_needs_little_memory() -> None:
    """20 MB of other services with a line of ours now and then, from a stream that is never whole."""
    head, ours_, theirs = csv_of(CUR, []), csv_of(CUR, [line()]), csv_of(CUR, [ec2()])
    block = (ours_[len(head):] + theirs[len(head):] * 999) * 3  # fmt: skip

    class Stream(io.RawIOBase):
        def __init__(self) -> None:
            self.left = self.pieces()
            self.rest = b""

        def pieces(self) -> Iterator[bytes]:
            yield head
            for _ in range(20_000_000 // len(block)):
                yield block

        def readable(self) -> bool:
            return True

        def seekable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            self.rest = self.rest or next(self.left, b"")
            size = min(len(buffer), len(self.rest))
            buffer[:size], self.rest = self.rest[:size], self.rest[size:]
            return size

        def seek(self, offset: int, whence: int = 0) -> int:
            self.__init__()  # type: ignore[misc]
            return 0

    counted = Counted()
    tracemalloc.start()
    found = sum(1 for _ in read_rows(io.BufferedReader(Stream()), chosen, counted))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert counted.rows > 50_000
    assert found == counted.rows // 1000
    assert peak < 4_000_000


def test_older_names_are_the_same_columns() -> None:
    assert {plain_name(name) for name in LEGACY} - {"product_region", "pricing_unit"} <= {*CUR}
