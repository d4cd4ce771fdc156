"""`manage.py bootstrap`: creates what the site needs before its first visitor; safe to run repeatedly."""

import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DataError, transaction

from adapters.base_models.folders import FACTS
from adapters.base_models.names import NAME_IN_USE
from adapters.base_models.services import add_base_model, ensure_base_model
from adapters.models import BaseModel
from rest.errors import PortalError
from serving.endpoints.services import ensure_endpoint
from serving.endpoints.site_engines import ensure_site_engines
from tenants.models import User
from tenants.people.services import create_tenant

FIRST_OWNER = "admin@localhost.example"


class Command(BaseCommand):
    help = "Register base models and their endpoints, and create an embedded site's first user."

    @transaction.atomic
    def handle(self, *_args: Any, **_options: Any) -> None:
        base_model = ensure_base_model(
            name=settings.BASE_MODEL_NAME, title=settings.BASE_MODEL_TITLE, folder=settings.BASE_MODEL_DIR
        )
        for folder in sorted((settings.PORTAL_VAR / "base-models").glob("[!.]*")):
            self._add(folder)
        ensure_endpoint(name="shared", backend="default", base_model=base_model)
        ensure_site_engines()
        if settings.EMBEDDED and not User.objects.exists():
            self._first_sign_in()

    def _add(self, folder: Path) -> None:
        """Add a base model that is new there. A bad folder is said, and keeps no site from starting."""
        if BaseModel.objects.filter(location=str(folder.resolve())).exists():
            return
        try:
            with transaction.atomic():
                add_base_model(folder=folder)
        except PortalError as error:
            # That text says which organisations use the name, and this goes to a log.
            why = f"an organisation uses its name. Change it in {FACTS}." if error.code == NAME_IN_USE else error.text
            self.stderr.write(f"{folder.name} was not added: {why}")
        except (DataError, OSError) as error:
            self.stderr.write(f"{folder.name} was not added: {error}")

    def _first_sign_in(self) -> None:
        password = secrets.token_urlsafe(12)
        owner = User.objects.create_superuser(FIRST_OWNER, password, name="Admin")
        create_tenant(name="My organisation", owner=owner)
        note = settings.PORTAL_VAR / "run" / "first-sign-in.txt"
        note.touch(mode=0o600)
        note.write_text(f"{FIRST_OWNER}\n{password}\n", encoding="utf-8")
        self.stdout.write(f"Sign in as {FIRST_OWNER}. The password is in {note}")
