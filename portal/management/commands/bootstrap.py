"""`manage.py bootstrap`: creates what the site needs before its first visitor; safe to run repeatedly."""

import json
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction

from adapters.base_models.services import ensure_base_model
from adapters.base_models.shapes import count_parameters
from adapters.models import BaseModel
from lorakit.digest import base_sha256
from serving.endpoints.services import ensure_endpoint
from tenants.models import User
from tenants.people.services import create_tenant

FIRST_OWNER = "admin@localhost.example"


class Command(BaseCommand):
    help = "Register the base model and the endpoint, and create an embedded site's first user."

    @transaction.atomic
    def handle(self, *_args: Any, **_options: Any) -> None:
        base_model = self._base_model(settings.BASE_MODEL_DIR)
        ensure_endpoint(name="shared", backend="default", base_model=base_model)
        if settings.EMBEDDED and not User.objects.exists():
            self._first_sign_in()

    def _base_model(self, folder: Path) -> BaseModel:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return ensure_base_model(
            name=settings.BASE_MODEL_NAME,
            title=settings.BASE_MODEL_TITLE,
            location=str(folder),
            sha256=base_sha256(folder),
            parameters=count_parameters(folder),
            context_length=config["max_position_embeddings"],
            is_synthetic=(folder / "build.json").exists(),
        )

    def _first_sign_in(self) -> None:
        password = secrets.token_urlsafe(12)
        owner = User.objects.create_superuser(FIRST_OWNER, password, name="Admin")
        create_tenant(name="My organisation", owner=owner)
        note = settings.PORTAL_VAR / "run" / "first-sign-in.txt"
        note.touch(mode=0o600)
        note.write_text(f"{FIRST_OWNER}\n{password}\n", encoding="utf-8")
        self.stdout.write(f"Sign in as {FIRST_OWNER}. The password is in {note}")
