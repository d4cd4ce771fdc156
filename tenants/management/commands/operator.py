"""manage.py operator add|remove EMAIL, operator list."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from tenants.models import User
from tenants.people.passwords import password_link
from tenants.people.services import add_operator, remove_operator


class Command(BaseCommand):
    help = "Say who operates the site: sees all endpoints, and moves organisations between them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        add = actions.add_parser(
            "add", help="make a person an operator; print a one-time link if they have no password"
        )
        remove = actions.add_parser("remove", help="let a person be one no longer; their memberships stay")
        actions.add_parser("list", help="list the operators")
        for action in (add, remove):
            action.add_argument("email")

    def handle(self, *args: Any, action: str, email: str = "", **options: Any) -> None:
        match action:
            case "add":
                self._add(email.strip().lower())
            case "remove":
                self._remove(email.strip().lower())
            case _:
                for user in User.objects.filter(is_staff=True, is_active=True).order_by("email"):
                    self.stdout.write(user.email)

    def _add(self, email: str) -> None:
        try:
            validate_email(email)
        except ValidationError as error:
            raise CommandError(f"{email} is not an e-mail address") from error
        user = add_operator(email=email)
        self.stdout.write(f"{email} is an operator.")
        if not user.has_usable_password():
            self.stdout.write(f"To set a password, they open, within a day: {password_link(user)}")

    def _remove(self, email: str) -> None:
        if not remove_operator(email=email):
            raise CommandError(f"{email} is not an operator")
        self.stdout.write(f"{email} is no longer an operator.")
