"""`manage.py verify_version <id or adapter:number>`: whether a version is what its manifest says."""

import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q

from adapters.models import AdapterVersion
from adapters.versions.retraining import retrain
from adapters.versions.verification import Check, verify_version
from tenants.scope import system_scope, tenant_scope


class Command(BaseCommand):
    help = "Check an adapter version's package, base model, rows and settings against its manifest."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", help="the version's id, or adapter:number")
        parser.add_argument("--tenant", default="", help="slug of the tenant, if several have such an adapter")
        parser.add_argument("--retrain", action="store_true", help="retrain it on this machine and compare the result")

    def handle(self, *_args: Any, **options: Any) -> None:
        version = find_version(options["version"], options["tenant"])
        with tenant_scope(version.tenant_id), tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            checks = verify_version(version, folder)
            failed = self._report(f"{version}, {version.id}", checks)
            if options["retrain"] and not failed:
                (folder / "run").mkdir()
                failed = self._report("Retrained", retrain(version, folder, folder / "run"))
        if failed:
            raise CommandError(f"{version} does not match its manifest: {failed} checks failed.")

    def _report(self, title: str, checks: list[Check]) -> int:
        """Print a table; how many checks failed."""
        self.stdout.write(title)
        for check in checks:
            self.stdout.write(f"  {'ok' if check.ok else 'FAILED':<8}{check.title:<22}{check.detail}")
        return sum(not check.ok for check in checks)


def find_version(name: str, tenant: str) -> AdapterVersion:
    """The version with this id, or of this adapter and number; raises CommandError unless there is one only."""
    adapter, colon, number = name.rpartition(":")
    try:
        wanted = Q(adapter__name=adapter, number=int(number)) if colon else Q(id=UUID(name))
    except ValueError:
        raise CommandError(f"“{name}” is neither an id nor an adapter and number, such as legal-summaries:3.") from None
    if tenant:
        wanted &= Q(tenant__slug=tenant)
    with system_scope():
        related = ("adapter__base_model", "run__dataset_version__dataset", "tenant")
        rows = list(AdapterVersion.objects.select_related(*related).filter(wanted))
    if not rows:
        raise CommandError(f"Version {name} not found. Its page shows its id, adapter and number.")
    if len(rows) > 1:
        slugs = ", ".join(sorted(row.tenant.slug for row in rows))
        raise CommandError(f"Several tenants have a version {name}: {slugs}. Choose one with --tenant.")
    return rows[0]
