"""`manage.py endpoint ACTION [NAME]`: the operator's hand on the shared endpoints."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import filesizeformat

from adapters.models import BaseModel
from jobs.prices import price_of
from rest.errors import PortalError
from serving.backends.base import EndpointBackend
from serving.backends.errors import EndpointError
from serving.backends.recommending import GOALS
from serving.capacity.forms import WishForm
from serving.capacity.questions import answer_to
from serving.capacity.recommendations import advance_recommendation
from serving.capacity.services import start_recommendation
from serving.capacity.texts import comparison, figures, memory_text, options_of, parts, remedies, verdict_text
from serving.capacity.twins import Twin, residency_of, twin_of
from serving.endpoints.provisioning import VERBS, advance
from serving.endpoints.queries import EndpointNotSetUp, backend_of, endpoints_by_name
from serving.endpoints.services import (
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    make_default,
    make_endpoint,
)
from serving.models import CapacityRecommendation, Endpoint, EndpointState, RecommendationState

ACTIONS = ("list", "status", "create", "update", "delete", "default", "capacity", "recommend")

FIRST = "shared"
"""The endpoint that the settings describe."""


class Command(BaseCommand):
    help = "List the shared endpoints; create, change or delete one, or say how it is and what fits on it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=ACTIONS)
        parser.add_argument("name", nargs="?", default=FIRST, help=f"of the endpoint (default: {FIRST})")
        parser.add_argument("--alias", default="default", help="of the ENDPOINTS setting, for a new one")
        parser.add_argument("--base", help="name of the base model, for a new one")
        parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE", help="an option of its own")
        parser.add_argument("--poll", type=float, default=10.0, help="seconds between two looks (default: 10)")
        parser.add_argument("--adapters", type=int, help="capacity: would so many more fit?")
        parser.add_argument("--rank", type=int, default=16, help="capacity: their rank (default: 16)")
        parser.add_argument("--rate", type=float, default=10.0, help="capacity: requests an hour of each (default: 10)")
        parser.add_argument(
            "--goal", choices=tuple(GOALS), default="cost", help="recommend: what is best (default: cost)"
        )
        parser.add_argument("--instance", action="append", default=[], metavar="TYPE", help="recommend: one to try")
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

    def _capacity(self) -> None:
        endpoint = self._endpoint()
        try:
            twin, residency = twin_of(endpoint), residency_of(endpoint)
        except ValueError as error:
            raise CommandError(f"The settings don’t fit. {error}") from error
        if twin is None:
            raise CommandError("Its engine’s setup isn’t known, or its base model can’t be read here.")
        for title, planned, measured, how in parts(twin, residency):
            told = how if measured is None else f"{how}; measured: {filesizeformat(measured)}"
            self.stdout.write(f"{title:32} {filesizeformat(planned):>10}  {told}")
        for line in (memory_text(twin), *remedies(twin)):
            self.stdout.write(line)
        for _, title, value, note in figures(twin, residency):
            self.stdout.write(f"{title:32} {value:>10}  {note}")
        if self.options["adapters"] is not None:
            self._wish(twin)

    def _wish(self, twin: Twin) -> None:
        asked = {"adapters": self.options["adapters"], "rank": self.options["rank"], "an_hour": self.options["rate"]}
        form = WishForm(asked, rank=asked["rank"], an_hour=asked["an_hour"])
        if not form.is_valid():
            raise CommandError(" ".join(f"{name}: {text}" for name, texts in form.errors.items() for text in texts))
        answer = answer_to(twin, form.wish)
        self.stdout.write(verdict_text(twin, answer))
        for title, now, then in comparison(answer):
            self.stdout.write(f"{title:36} {now:>10}  {then:>10}")

    def _recommend(self) -> None:
        """Ask AWS, or go on with what it was asked, and wait for the answer; the site's worker does so too."""
        endpoint = self._endpoint()
        found = endpoint.recommendations.filter(ended_at=None).first()
        if found is None:
            if not self.options["yes"]:
                self._confirm("AWS starts instances in your account to try it, and bills them. Go on?")
            found = start_recommendation(
                endpoint=endpoint, goal=self.options["goal"], machines=self.options["instance"]
            )
        self.stdout.write(f"AWS works on {found.name}, which takes minutes to hours.")
        while not found.is_over:
            advance_recommendation(found)
            if not found.is_over:
                time.sleep(self.options["poll"])
                found.refresh_from_db()
        if found.state != RecommendationState.COMPLETED:
            raise CommandError(f"{found.get_state_display()}. {found.error_text}".strip())
        self._options(endpoint, found)

    def _options(self, endpoint: Endpoint, found: CapacityRecommendation) -> None:
        twin = twin_of(endpoint)
        for option, ours, performance in options_of(twin, found) if twin else ():
            copies = f"{option.copies} on each, {option.memory_mb or '?'} MiB"
            self.stdout.write(f"{option.machines} x {option.machine:16} {copies}  {', '.join(performance)}; {ours}")

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
        price = price_of(backend)
        if price.usd is None:
            self._confirm("It costs money in your account from now on; no price is set for it here. Go on?")
            return
        hour, month = price.usd, price.usd_per_month
        self._confirm(f"It costs ${hour:,.2f} an hour, ${month:,.0f} a month ({price.source}). Go on?")

    def _confirm(self, question: str) -> None:
        if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
            raise CommandError("Nothing was changed.")


def _pairs(texts: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    if wrong := next((name for name, equals, _ in pairs if not (name and equals)), None):
        raise CommandError(f"Write --set OPTION=VALUE, not {wrong}.")
    return {name: value for name, _, value in pairs}
