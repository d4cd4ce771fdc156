"""`manage.py statements list|close|show|export|adjust`: the operator's hand on the monthly statements."""

import datetime as dt
from argparse import ArgumentTypeError
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from metering.models import ClosedMonth
from metering.statements.export import statement_csv
from metering.statements.months import key_of, parsed_month, title_of
from metering.statements.pdf import statement_pdf
from metering.statements.queries import Found, blockers, row_of, site_months, statement_of, tenants_in
from metering.statements.services import add_adjustment, begin_closing, finish_closing
from metering.statements.shown import shown
from metering.statements.texts import money, quantity_text
from rest.errors import PortalError
from tenants.audit.actor import OPERATOR, acting_as
from tenants.models import Tenant
from tenants.scope import system_scope, tenant_scope


class Command(BaseCommand):
    help = "List, close, show and export monthly statements, and adjust open ones."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        listed = actions.add_parser("list", help="all months, or the organisations of one")
        listed.add_argument("month", nargs="?", type=month, help="such as 2026-10")
        close = actions.add_parser("close", help="close a month of the whole site")
        close.add_argument("month", type=month, help="such as 2026-10")
        show = actions.add_parser("show", help="the lines of a statement")
        _statement(show)
        export = actions.add_parser("export", help="write a statement as a file")
        _statement(export)
        export.add_argument("file", type=Path, help="ends in .pdf or .csv")
        adjust = actions.add_parser("adjust", help="add an amount to an open statement, or take it off")
        _statement(adjust)
        adjust.add_argument("amount", type=number, help="in US dollars; below 0 for a credit, as in -- -25.00")
        adjust.add_argument("--reason", required=True, help="the organisation reads it")

    def handle(self, *_args: Any, **options: Any) -> None:
        self.options = options
        try:
            with acting_as(OPERATOR):
                getattr(self, f"_{options['action']}")()
        except PortalError as error:
            raise CommandError(error.text) from error

    def _list(self) -> None:
        one = self.options["month"]
        if one is None:
            closed = {row.month: row for row in ClosedMonth.objects.all()}
            for found in site_months():
                row = closed.get(found)
                self.stdout.write(f"{key_of(found)}  {_state(row)}")
            return
        with system_scope():
            tenants = tenants_in(one)
        for tenant in tenants:
            line = row_of(tenant, one)
            state = "open  " if line.is_open else "closed"
            unknown = f"  {line.unknown} unknown" if line.unknown else ""
            self.stdout.write(f"{tenant.slug:30}  {state}  {money(line.due):>14} USD{unknown}")
        for blocker in blockers(one):
            self.stdout.write(f"Can’t be closed yet: {blocker.text}")

    def _close(self) -> None:
        one = self.options["month"]
        begin_closing(month=one)
        self.stdout.write(f"{title_of(one)} is closed; {finish_closing(month=one)} statements written.")

    def _show(self) -> None:
        found = self._found()
        seen = shown(found.document)
        closed_at = found.document.closed_at
        self.stdout.write(f"{found.document.number}  {f'closed {closed_at}' if closed_at else 'open'}")
        for one in seen.lines:
            amount = "unknown" if one.exact is None else f"{one.exact:,f}"
            paid = "" if one in seen.elsewhere else f"{one.line.group}: "
            self.stdout.write(
                f"{amount:>18}  {paid}{one.line.title}  {quantity_text(one.line)}  {one.line.price_source}"
            )
        self.stdout.write(f"{money(seen.due):>18}  USD due, exactly {found.exact_due}")
        if seen.elsewhere:
            self.stdout.write(f"{money(seen.provider):>18}  USD paid to own providers, not part of it")
        if found.sha256:
            self.stdout.write(f"sha256 {found.sha256}{'' if found.is_intact else ': THE DOCUMENT DIFFERS'}")

    def _export(self) -> None:
        path: Path = self.options["file"]
        found = self._found()
        if path.suffix == ".csv":
            path.write_bytes(statement_csv(found.document).encode())
        elif path.suffix == ".pdf":
            path.write_bytes(statement_pdf(found.document, found.sha256))
        else:
            raise CommandError("Name a file that ends in .pdf or .csv.")
        self.stdout.write(str(path))

    def _adjust(self) -> None:
        tenant = self._tenant()
        with tenant_scope(tenant.id):
            made = add_adjustment(
                tenant=tenant,
                month=self.options["month"],
                amount=self.options["amount"],
                reason=self.options["reason"],
            )
        self.stdout.write(f"{made.id} on {tenant.slug}-{key_of(made.month)}")

    def _found(self) -> Found:
        tenant = self._tenant()
        with tenant_scope(tenant.id):
            return statement_of(tenant, key_of(self.options["month"]))

    def _tenant(self) -> Tenant:
        with system_scope():
            tenant = Tenant.objects.filter(slug=self.options["organisation"]).first()
        if tenant is None:
            raise CommandError(f"There is no organisation {self.options['organisation']!r}.")
        return tenant


def _state(row: ClosedMonth | None) -> str:
    if row is None:
        return "open"
    return f"closed {row.closed_at:%Y-%m-%d}" if row.finished_at else "being closed"


def _statement(parser: CommandParser) -> None:
    parser.add_argument("organisation", help="its short name, as in addresses")
    parser.add_argument("month", type=month, help="such as 2026-10")


def month(text: str) -> dt.date:
    """The first day of a month such as 2026-10."""
    try:
        return parsed_month(text)
    except ValueError:
        raise ArgumentTypeError("Write a month as 2026-10.") from None


def number(text: str) -> Decimal:
    """Raises ValueError."""
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None
