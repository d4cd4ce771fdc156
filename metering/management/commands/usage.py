"""`manage.py usage rebuild|months`: sums of usage made anew from the requests they come from."""

import datetime as dt
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from metering.ledger.months import first_kept, present_months
from metering.ledger.rebuilding import rebuild_month


class Command(BaseCommand):
    help = "List the months whose requests are kept, or sum up their usage again."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("months", help="list the months whose requests are kept")
        rebuild = actions.add_parser("rebuild", help="replace the sums of months by those of their requests")
        rebuild.add_argument("months", nargs="+", type=month, help="such as 2026-11")

    def handle(self, *_args: Any, **options: Any) -> None:
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
