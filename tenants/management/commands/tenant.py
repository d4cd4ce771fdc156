"""manage.py tenant add NAME --owner EMAIL."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.text import slugify

from tenants.audit.actor import OPERATOR, acting_as
from tenants.models import Tenant, User
from tenants.people.passwords import password_link
from tenants.people.services import create_tenant
from tenants.scope import system_scope


class Command(BaseCommand):
    help = "Add a tenant and its first owner."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        add = actions.add_parser("add", help="add a tenant; print a one-time link if its owner has no password yet")
        add.add_argument("name", help='as people read it: "Alder Law"')
        add.add_argument("--owner", required=True, metavar="EMAIL")
        add.add_argument("--slug", default="", help="its short name for commands; made from the name if left out")
        add.add_argument("--max-running-jobs", type=int, default=2, metavar="N")

    def handle(self, *args: Any, name: str, owner: str, slug: str, max_running_jobs: int, **options: Any) -> None:
        slug = slug or slugify(name)[:50]
        if not slug:
            raise CommandError("choose a --slug: this name has no letters for one")
        with system_scope():
            if Tenant.objects.filter(slug=slug).exists():
                raise CommandError(f"a tenant called {slug} exists already: choose another --slug")
        with acting_as(OPERATOR):
            user, created = User.objects.get_or_create(email=owner.strip().lower())
            if created:
                user.set_unusable_password()
                user.save(update_fields=["password"])
            tenant = create_tenant(name=name, owner=user, slug=slug, max_running_jobs=max_running_jobs)
        self.stdout.write(f"{tenant.name} ({tenant.slug}) is ready. Its owner is {user.email}.")
        if not user.has_usable_password():
            self.stdout.write(f"To set a password, they open, within a day: {password_link(user)}")
