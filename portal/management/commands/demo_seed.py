"""`manage.py demo_seed`: creates the demo's tenants and people and prints their API keys as JSON."""

import json
import os
from typing import Any

from django.core.management.base import BaseCommand

from portal.demo.seed import seed


class Command(BaseCommand):
    help = "Create the demo's tenants and people with the password DEMO_PASSWORD; print their API keys as JSON."

    def handle(self, *_args: Any, **_options: Any) -> None:
        accesses = seed(password=os.environ["DEMO_PASSWORD"])
        self.stdout.write(json.dumps([access.to_dict() for access in accesses]))
