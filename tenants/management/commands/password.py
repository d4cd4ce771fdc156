"""manage.py password EMAIL."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from tenants.models import User
from tenants.people.passwords import password_link


class Command(BaseCommand):
    help = "Print a one-time link to set a new password, or set one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--stdin", action="store_true", help="set the password that is read from standard input")

    def handle(self, *args: Any, email: str, stdin: bool, **options: Any) -> None:
        user = User.objects.filter(email=email.strip().lower()).first()
        if user is None:
            raise CommandError(f"nobody has the e-mail address {email}")
        if not stdin:
            self.stdout.write(password_link(user))
            return
        password = sys.stdin.readline().rstrip("\n")
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        user.set_password(password)
        user.save(update_fields=["password"])
        self.stdout.write(f"The password of {user.email} is set. Their sessions have ended.")
