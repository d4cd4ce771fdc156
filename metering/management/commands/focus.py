"""`manage.py focus`: a month's costs as a file in FOCUS 1.3."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from metering.focus.columns import VERSION
from metering.focus.export import FORMATS, Format, write_focus, write_without_price
from metering.focus.metadata import focus_metadata
from metering.focus.organisations import organisation_named
from metering.focus.periods import GRAINS, month_named
from metering.models import Grain
from rest.errors import PortalError


class Command(BaseCommand):
    help = f"Write a month's costs in FOCUS {VERSION}: of the whole site, or of one organisation."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file",
            type=Path,
            help="what to write; FILE.metadata.json says what is in it, FILE.unknown.csv has what has no known cost",
        )
        parser.add_argument("--month", required=True, help="such as 2026-10 (UTC)")
        parser.add_argument("--organisation", metavar="SLUG", help="only its own charges")
        parser.add_argument("--format", choices=FORMATS, help="default: by the file's name, else csv")
        parser.add_argument("--grain", choices=[grain.value for grain in GRAINS], default=Grain.DAY.value)
        parser.add_argument("--unsplit", action="store_true", help="an endpoint's cost as one charge, not its parts")

    def handle(self, *_args: Any, **options: Any) -> None:
        path, slug = options["file"], options["organisation"]
        try:
            month = month_named(options["month"], now=timezone.now(), grain=Grain(options["grain"]))
            only = organisation_named(slug) if slug else None
        except PortalError as error:
            raise CommandError(error.text) from error
        if only and options["unsplit"]:
            raise CommandError("Only the whole site has endpoints of its own. Leave out --organisation or --unsplit.")
        file_type: Format = options["format"] or ("parquet" if path.suffix == ".parquet" else "csv")
        rest = path.with_name(f"{path.name}.unknown.csv")
        try:
            with path.open("wb") as file:
                count = write_focus(file, month, only=only, file_type=file_type, unsplit=options["unsplit"])
            path.with_name(f"{path.name}.metadata.json").write_bytes(
                focus_metadata(month, only=only, file_type=file_type)
            )
            with rest.open("wb") as file:
                unknown = write_without_price(file, month, only=only)
            if not unknown:
                rest.unlink()
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}.") from error
        self.stdout.write(f"{count} charges in {path}")
        if unknown:
            self.stdout.write(f"{unknown} lines without a known cost in {rest}")
