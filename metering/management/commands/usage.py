"""`manage.py usage rebuild|months|read`: sums made anew from their requests, and what a cloud counts, read at once."""

import datetime as dt
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from metering.ledger.months import first_kept, present_months
from metering.ledger.rebuilding import rebuild_month
from metering.models import ObservedSource
from metering.observed.services import read_observed


class Command(BaseCommand):
    help = "List the months whose requests are kept, sum up their usage again, or read what a cloud counts."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("months", help="list the months whose requests are kept")
        actions.add_parser("read", help="read what a cloud counts now, which the worker does every five minutes")
        rebuild = actions.add_parser("rebuild", help="replace the sums of months by those of their requests")
        rebuild.add_argument("months", nargs="+", type=month, help="such as 2026-11")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["action"] == "read":
            read_observed()
            if failing := ObservedSource.objects.exclude(error_code="").first():
                raise CommandError(f"{failing.alias}: {failing.error_text}")
            return
        kept = [one for one in present_months() if one >= first_kept()]
        if options["action"] == "months":
            for one in kept:
                self.stdout.write(f"{one:%Y-%m}")
            return
        if gone := sorted(set(options["months"]) - set(kept)):
            text = "are not kept. `manage.py usage months` lists those that are."
            raise CommandError(f"The requests of {gone[0]:%Y-%m} {text}")
        for one in options["months"]:
            self.stdout.write(f"{one:%Y-%m}: {rebuild_month(one)} requests")


def month(text: str) -> dt.date:
    """The first day of a month such as 2026-11."""
    try:
        return dt.datetime.strptime(text, "%Y-%m").date()
    except ValueError:
        raise ArgumentTypeError("Write a month as 2026-11.") from None
