"""`manage.py collect`: static files as browsers get them, made again where one has changed."""

import hashlib
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand

from portal.embedded.state import exclusive


class Command(BaseCommand):
    help = "Collect the static files under STATIC_ROOT, named after their content and compressed, if any has changed."
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        folder = settings.STATIC_ROOT
        note = folder / ".sources"
        with exclusive(folder / ".lock"):
            sources = _sources()
            if note.exists() and note.read_text() == sources:
                return
            call_command("collectstatic", interactive=False, verbosity=0)
            note.write_text(sources)
        self.stdout.write(f"Static files are in {folder}")


def _sources() -> str:
    """A digest of which files there are, and of when each was written."""
    ignored = apps.get_app_config("staticfiles").ignore_patterns  # type: ignore[attr-defined]
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in sorted(finder.list(ignored), key=lambda found: str(found[0])):
            digest.update(f"{name} {storage.get_modified_time(name).timestamp()} {storage.size(name)}\n".encode())
    return digest.hexdigest()
