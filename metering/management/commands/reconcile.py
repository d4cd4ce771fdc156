"""`manage.py reconcile FILE…`: import a bill of AWS and compare it with what the site counted."""

import datetime as dt
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from metering.models import BillLine
from metering.reconciliation.comparison import compared, summary_of
from metering.reconciliation.reasons import reasons
from metering.reconciliation.services import BillFile, import_bill
from rest.errors import PortalError


class Command(BaseCommand):
    help = "Import a bill (AWS CUR or FOCUS; CSV, gzipped CSV or Parquet) and compare it with what the site counted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="all files of one bill")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            with ExitStack() as opened:
                files = [(path.name, opened.enter_context(path.open("rb"))) for path in options["files"]]
                bill = [BillFile(name=name, file=file) for name, file in files]
                result = import_bill(files=bill, imported_by=None)
        except PortalError as error:
            raise CommandError(error.text) from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}.") from error
        self.stdout.write(f"{result.rows_kept:,} of {result.rows_read:,} rows kept: {result.periods}")
        lines = BillLine.objects.filter(bill_import=result)
        for month in lines.order_by("month").values_list("month", flat=True).distinct():
            self._month(month)

    def _month(self, month: dt.datetime) -> None:
        rows = compared(month)
        total = summary_of(month, rows)
        for row in rows:
            what = f"{row.subject.label} {row.name}"
            self._line(f"{row.day:%Y-%m-%d}", what, row.bill_cost, row.site_cost, row.percent)
            for reason in reasons(row):
                self.stdout.write(f"{'':12}{reason}")
        self._line(f"{month:%Y-%m}", "Total", total.bill, total.site, total.percent)

    def _line(self, when: str, what: str, bill: Decimal | None, site: Decimal | None, percent: Decimal | None) -> None:
        difference = None if bill is None or site is None else bill - site
        share = "" if percent is None else f"{percent:+.2f}%"
        amounts = " ".join(f"{_text(one):>14}" for one in (bill, site, difference))
        self.stdout.write(f"{when:10}  {what[:40]:40} {amounts} {share:>9}")


def _text(amount: Decimal | None) -> str:
    return "unknown" if amount is None else f"{amount:,.4f}"
