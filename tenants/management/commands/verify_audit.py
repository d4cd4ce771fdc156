"""manage.py verify_audit: whether the audit trails are as they were written."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants.audit.verification import verify_trail
from tenants.models import Tenant
from tenants.scope import system_scope


class Command(BaseCommand):
    help = "Check every tenant's audit trail. Exits with status 1 and names the rows if one was tampered with."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--expect",
            action="append",
            default=[],
            metavar="SLUG=NUMBER:HASH",
            help="a tenant's last event as an earlier run printed it; the trail must still contain it. Repeatable.",
        )

    def handle(self, *args: Any, expect: list[str], **options: Any) -> None:
        noted = dict(_parse(entry) for entry in expect)
        with system_scope():
            tenants = list(Tenant.objects.all())
        unknown = noted.keys() - {tenant.slug for tenant in tenants}
        if unknown:
            raise CommandError(f"no tenant is called {', '.join(sorted(unknown))}")
        bad = 0
        for tenant in tenants:
            trail = verify_trail(tenant, *noted.get(tenant.slug, ()))
            for problem in trail.problems:
                self.stdout.write(f"{tenant.slug}: {problem}")
            bad += bool(trail.problems)
            self.stdout.write(
                f"{tenant.slug}={trail.sequence}:{trail.hash} {'tampered' if trail.problems else 'intact'}"
            )
        if bad:
            raise CommandError(f"{bad} of {len(tenants)} trails were tampered with")


def _parse(entry: str) -> tuple[str, tuple[int, str]]:
    slug, _, rest = entry.partition("=")
    number, _, digest = rest.partition(":")
    if not (slug and number.isdigit() and digest):
        raise CommandError(f"--expect {entry}: write SLUG=NUMBER:HASH, as this command prints it")
    return slug, (int(number), digest)
