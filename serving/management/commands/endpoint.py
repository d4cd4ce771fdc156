"""`manage.py endpoint create|update|delete|status`: the operator's hand on a shared endpoint in the cloud."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from serving.backends import endpoints
from serving.backends.base import EndpointBackend
from serving.backends.errors import EndpointError
from serving.backends.scaling import Scales

CHANGES = ("create", "update", "delete")


class Command(BaseCommand):
    help = "Create, change or delete a shared endpoint with its base model, or say how it is."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=(*CHANGES, "status"))
        parser.add_argument("--alias", default="default", help="of the ENDPOINTS setting (default: default)")
        parser.add_argument("--yes", action="store_true", help="do not ask before it costs, or before it is deleted")

    def handle(self, *_args: Any, **options: Any) -> None:
        alias, action = options["alias"], options["action"]
        try:
            backend = endpoints[alias]
            if action == "status":
                self._status(backend)
                return
            provision = backend.provision()
            if provision is None:
                raise CommandError(f"ENDPOINTS[{alias!r}] is not made by this command: start its server yourself.")
            if not options["yes"]:
                self._ask(action, backend)
            for line in getattr(provision, action)():
                self.stdout.write(line)
        except KeyError as error:
            raise CommandError(f"There is no ENDPOINTS[{alias!r}].") from error
        except (EndpointError, ValueError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write({"create": "In service.", "update": "In service.", "delete": "Nothing is left."}[action])

    def _status(self, backend: EndpointBackend) -> None:
        health = backend.health()
        if health.ok:
            self.stdout.write(f"In service: {health.base} with {health.adapters} adapters. {health.text}".rstrip())
        if health.base and isinstance(backend, Scales):
            for line in backend.scaling():
                self.stdout.write(line)
        if not health.ok:
            raise CommandError(health.text)

    def _ask(self, action: str, backend: EndpointBackend) -> None:
        if action == "delete":
            question = "All adapters on it stop answering. Delete the endpoint?"
        elif backend.usd_per_hour:
            hour, month = backend.usd_per_hour, backend.usd_per_hour * 730
            question = f"It costs ${hour:,.2f} an hour, ${month:,.0f} a month ({backend.price_source}). Go on?"
        else:
            question = "It costs money in your account from now on; no price is set for it here. Go on?"
        if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
            raise CommandError("Nothing was changed.")
