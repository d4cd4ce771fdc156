"""`manage.py endpoint list|status|create|update|delete|default`: the operator's hand on the shared endpoints."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from adapters.models import BaseModel
from rest.errors import PortalError
from serving.backends.base import EndpointBackend
from serving.backends.errors import EndpointError
from serving.endpoints.provisioning import VERBS, advance
from serving.endpoints.queries import EndpointNotSetUp, backend_of, endpoints_by_name
from serving.endpoints.services import (
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    make_default,
    make_endpoint,
)
from serving.models import Endpoint, EndpointState

FIRST = "shared"
"""The endpoint that the settings describe."""


class Command(BaseCommand):
    help = "List the shared endpoints; create, change or delete one with its base model, or say how it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=("list", "status", "create", "update", "delete", "default"))
        parser.add_argument("name", nargs="?", default=FIRST, help=f"of the endpoint (default: {FIRST})")
        parser.add_argument("--alias", default="default", help="of the ENDPOINTS setting, for a new one")
        parser.add_argument("--base", help="name of the base model, for a new one")
        parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE", help="an option of its own")
        parser.add_argument("--poll", type=float, default=10.0, help="seconds between two looks (default: 10)")
        parser.add_argument("--yes", action="store_true", help="do not ask before it costs, or before it is deleted")

    def handle(self, *_args: Any, **options: Any) -> None:
        self.options = options
        try:
            getattr(self, f"_{options['action']}")()
        except PortalError as error:
            raise CommandError(error.text) from error
        except (EndpointError, EndpointNotSetUp) as error:
            raise CommandError(str(error)) from error

    def _list(self) -> None:
        for endpoint in endpoints_by_name():
            state = endpoint.get_state_display() + (", default" if endpoint.is_default else "")
            self.stdout.write(f"{endpoint.name:30} {endpoint.base_model.name:30} {state}")

    def _status(self) -> None:
        endpoint = self._endpoint()
        if not endpoint.is_serving:
            why = endpoint.error_text or endpoint.doing
            raise CommandError(f"{endpoint.get_state_display()}. {why}".strip())
        backend = backend_of(endpoint)
        health = backend.health()
        if health.ok:
            self.stdout.write(f"In service: {health.base} with {health.adapters} adapters. {health.text}".rstrip())
        if health.base:
            for line in backend.scaling():
                self.stdout.write(line)
        if not health.ok:
            raise CommandError(health.text)

    def _create(self) -> None:
        endpoint = Endpoint.objects.filter(name=self.options["name"]).first()
        if endpoint is None or (endpoint.state == EndpointState.DELETED and self.options["set"]):
            endpoint = self._new()
        else:
            backend = self._made_here(endpoint)
            self._ask_price(backend)
            make_endpoint(endpoint=endpoint)
        self._follow(endpoint)

    def _new(self) -> Endpoint:
        wanted = self.options
        base = BaseModel.objects.filter(name=wanted["base"]).first() if wanted["base"] else BaseModel.objects.first()
        if base is None:
            raise CommandError("There is no such base model.")
        if not wanted["yes"]:
            self._confirm("It costs money in your account from now on if it is in a cloud. Go on?")
        return create_endpoint(
            name=wanted["name"], backend=wanted["alias"], base_model=base, options=_pairs(wanted["set"])
        )

    def _update(self) -> None:
        endpoint = self._endpoint()
        backend = self._made_here(endpoint)
        if not self.options["yes"]:
            self._ask_price(backend)
        own = {option.name for option in backend.own}
        kept = {name: value for name, value in endpoint.options.items() if name in own}
        change_endpoint(endpoint=endpoint, options={**kept, **_pairs(self.options["set"])})
        self._follow(endpoint)

    def _delete(self) -> None:
        endpoint = self._endpoint()
        if not self.options["yes"]:
            self._confirm("All adapters on it stop answering. Delete the endpoint?")
        if endpoint.state != EndpointState.DELETED:
            delete_endpoint(endpoint=endpoint, with_live_adapters=True)
        self._follow(endpoint)

    def _default(self) -> None:
        make_default(endpoint=self._endpoint())

    def _endpoint(self) -> Endpoint:
        endpoint = Endpoint.objects.filter(name=self.options["name"]).first()
        if endpoint is None:
            raise CommandError(f"There is no endpoint called {self.options['name']}.")
        return endpoint

    def _made_here(self, endpoint: Endpoint) -> EndpointBackend:
        backend = backend_of(endpoint)
        try:
            provision = backend.provision()
        except ValueError as error:
            raise CommandError(str(error)) from error
        if provision is None:
            raise CommandError(f"{endpoint.name} is not made by this command: start its server yourself.")
        return backend

    def _follow(self, endpoint: Endpoint) -> None:
        """Tell how it goes until it is over; the site's worker goes on with it where this is interrupted."""
        told: set[str] = set()

        def tell(line: str) -> None:
            # Each look begins anew.
            if line not in told:
                told.add(line)
                self.stdout.write(line)

        while endpoint.state in VERBS:
            advance(endpoint, tell=tell)
            if endpoint.state not in VERBS:
                break
            if endpoint.error_text:
                tell(endpoint.error_text)
            time.sleep(self.options["poll"])
            endpoint.refresh_from_db()
        if endpoint.error_text:
            raise CommandError(endpoint.error_text)
        self.stdout.write("Nothing is left." if endpoint.state == EndpointState.DELETED else "In service.")

    def _ask_price(self, backend: EndpointBackend) -> None:
        if self.options["yes"]:
            return
        if not backend.usd_per_hour:
            self._confirm("It costs money in your account from now on; no price is set for it here. Go on?")
            return
        hour, month = backend.usd_per_hour, backend.usd_per_month
        self._confirm(f"It costs ${hour:,.2f} an hour, ${month:,.0f} a month ({backend.price_source}). Go on?")

    def _confirm(self, question: str) -> None:
        if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
            raise CommandError("Nothing was changed.")


def _pairs(texts: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    if wrong := next((name for name, equals, _ in pairs if not (name and equals)), None):
        raise CommandError(f"Write --set OPTION=VALUE, not {wrong}.")
    return {name: value for name, _, value in pairs}
