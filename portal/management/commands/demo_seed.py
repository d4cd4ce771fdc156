"""`manage.py demo_seed`: creates the demo's tenants and people and prints their API keys as JSON."""

import json
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from portal.demo.bases import BASES, TINY
from portal.demo.seed import seed


class Command(BaseCommand):
    help = "Create the demo's tenants and people with the password DEMO_PASSWORD; print their API keys as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--base", choices=list(BASES), default=TINY.key, help="the base whose demo it is")

    def handle(self, *_args: Any, **options: Any) -> None:
        accesses = seed(BASES[options["base"]].tenants, password=os.environ["DEMO_PASSWORD"])
        self.stdout.write(json.dumps([access.to_dict() for access in accesses]))
