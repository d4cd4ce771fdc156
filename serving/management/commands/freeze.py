"""`manage.py freeze add|list|end`: freeze windows of the whole site."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from rest.errors import PortalError
from serving.freezes.services import add_site_freeze, end_site_freeze
from serving.freezes.texts import moment_text
from serving.models import SiteFreeze


class Command(BaseCommand):
    help = "Freeze promotions of all organisations for a time, list these windows, or end one."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        add = actions.add_parser("add", help="add a window")
        add.add_argument(
            "--from", dest="starts_at", type=moment, help="ISO 8601, such as 2026-12-24T12:00 (default: now)"
        )
        add.add_argument("--until", dest="ends_at", type=moment, required=True, help="ISO 8601")
        add.add_argument("--reason", required=True, help="shown to everyone who tries to promote a version meanwhile")
        actions.add_parser("list", help="list the windows that are not over")
        end = actions.add_parser("end", help="end a window, or cancel one to come")
        end.add_argument("id", type=UUID)

    def handle(self, *_args: Any, **options: Any) -> None:
        match options["action"]:
            case "add":
                self._add(options["starts_at"], options["ends_at"], options["reason"])
            case "end":
                self._end(options["id"])
            case _:
                for freeze in SiteFreeze.objects.filter(ends_at__gt=timezone.now()).order_by("starts_at"):
                    self.stdout.write(line_of(freeze))

    def _add(self, starts_at: dt.datetime | None, ends_at: dt.datetime, reason: str) -> None:
        try:
            freeze = add_site_freeze(starts_at=starts_at, ends_at=ends_at, reason=reason)
        except PortalError as error:
            raise CommandError(error.text) from error
        self.stdout.write(line_of(freeze))

    def _end(self, freeze_id: UUID) -> None:
        freeze = SiteFreeze.objects.filter(id=freeze_id).first()
        if freeze is None:
            raise CommandError("There is no such window. `manage.py freeze list` names those that are not over.")
        end_site_freeze(freeze=freeze)
        self.stdout.write("Ended.")


def moment(text: str) -> dt.datetime:
    """An ISO 8601 time, in the site's time zone unless it names another. Raises ValueError."""
    found = parse_datetime(text)
    if found is None:
        raise ValueError(text)
    return timezone.make_aware(found) if timezone.is_naive(found) else found


def line_of(freeze: SiteFreeze) -> str:
    """ID, times and reason."""
    return f"{freeze.id}  {moment_text(freeze.starts_at)} to {moment_text(freeze.ends_at)}  {freeze.reason}"
