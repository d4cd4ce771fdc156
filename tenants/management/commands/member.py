"""manage.py member add|remove TENANT EMAIL."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from rest.errors import PortalError
from tenants.audit.actor import OPERATOR, acting_as
from tenants.models import Membership, Tenant, User
from tenants.people.passwords import password_link
from tenants.people.services import add_member, change_role, remove_member
from tenants.permissions import Role
from tenants.scope import system_scope, tenant_scope


class Command(BaseCommand):
    help = "Add a member to a tenant, change their role, or remove them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        for name, text in (
            ("add", "add a member, or change a member's role; print a one-time link if they have no password yet"),
            ("remove", "remove a member, and revoke the API keys they made"),
        ):
            action = actions.add_parser(name, help=text)
            action.add_argument("tenant", help="the tenant's slug")
            action.add_argument("email")
            if name == "add":
                action.add_argument("--role", choices=Role.values, default=Role.MEMBER)

    def handle(self, *args: Any, action: str, tenant: str, email: str, **options: Any) -> None:
        with system_scope():
            found = Tenant.objects.filter(slug=tenant).first()
        if found is None:
            raise CommandError(f"no tenant is called {tenant}")
        try:
            with tenant_scope(found.id), acting_as(OPERATOR):
                if action == "add":
                    self._add(found, email.strip().lower(), Role(options["role"]))
                else:
                    self._remove(found, email.strip().lower())
        except PortalError as error:
            raise CommandError(error.text) from error

    def _add(self, tenant: Tenant, email: str, role: Role) -> None:
        user, created = User.objects.get_or_create(email=email)
        if created:
            user.set_unusable_password()
            user.save(update_fields=["password"])
        membership = Membership.objects.filter(user=user).first()
        if membership is None:
            add_member(tenant=tenant, user=user, role=role)
        else:
            change_role(membership_id=membership.id, role=role)
        self.stdout.write(f"{email} is {role.label.lower()} of {tenant.name}.")
        if not user.has_usable_password():
            self.stdout.write(f"To set a password, they open, within a day: {password_link(user)}")

    def _remove(self, tenant: Tenant, email: str) -> None:
        membership = Membership.objects.filter(user__email=email).first()
        if membership is None:
            raise CommandError(f"{email} is not a member of {tenant.name}")
        remove_member(membership_id=membership.id)
        self.stdout.write(f"{email} is no longer a member of {tenant.name}.")
