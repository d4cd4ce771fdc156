"""From the name in a request to the model that answers: an alias, a base model, one version, or a router's choice."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import sync_to_async
from django.db import Error as DatabaseError
from django.db import close_old_connections

from lorakit.route.router import Guess
from lorakit.route.texts import texts_of
from serving.gateway.body import Ask
from serving.gateway.database import Directory, Model, Models
from serving.gateway.errors import GatewayError
from serving.gateway.record import Routed, Tally
from serving.routing.live import LiveRouter
from tenants.scope import tenant_scope

THREADS = 8
"""Requests of one process that wait for a classifier at once; others wait for a place."""

LONGEST_WAIT = 5.0
"""Seconds that a request waits for a classifier, its place included. Then the default answers."""

MOST_SHOWN = 50
"""Names in an error: a tenant may have thousands."""

VERSION = re.compile(r"([^@]+)@([1-9]\d{0,8})", re.ASCII)
"""As in `clause-summary@3`."""


class Choosing:
    """Finds the model for each request, and notes in its tally which router chose it and why."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="classifier")

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=True)

    async def model(self, tally: Tally, models: Models, ask: Ask) -> Model:
        """Raises GatewayError: an unknown name is refused, never answered by another model."""
        if model := models.by_name.get(ask.model):
            return model
        if router := models.routers.get(ask.model):
            return await self._routed(tally, models, ask, router)
        if (found := VERSION.fullmatch(ask.model)) and found[1] in models.by_name:
            return await self._version(tally, found[1], int(found[2]))
        names = sorted({*models.by_name, *models.routers})
        known = ", ".join(names[:MOST_SHOWN]) or "none yet"
        more = f" and {len(names) - MOST_SHOWN:,} more" if len(names) > MOST_SHOWN else ""
        text = f"The model `{ask.model[:80]}` does not exist. Available models: {known}{more}."
        raise GatewayError(404, text, "model_not_found", param="model")

    async def _version(self, tally: Tally, alias: str, number: int) -> Model:
        versions = await self._directory.versions(tally.caller, alias)
        if model := versions.get(number):
            return model
        known = ", ".join(f"{alias}@{one}" for one in sorted(versions)) or "none"
        text = f"Version {number} of `{alias}` is not on the endpoint. Versions that can answer: {known}."
        raise GatewayError(404, text, "model_not_found", param="model")

    async def _routed(self, tally: Tally, models: Models, ask: Ask, router: LiveRouter) -> Model:
        texts = texts_of(ask.document)
        decision = router.rules.by_rule(texts)
        if decision is None:
            decision = router.rules.by_guess(await self._guess(tally, router, texts))
        tally.routed = Routed(
            router=router.name, revision=router.revision, decision=decision, rule_id=router.rule_id(decision)
        )
        if decision.target is None:
            text = f"No rule of the router `{router.name}` fits this request, and it has no default."
            raise GatewayError(404, text, "no_route", param="messages")
        model = models.by_name.get(decision.target)
        if model is None:
            text = f"The router `{router.name}` sends this request to `{decision.target}`, which is not live."
            raise GatewayError(404, text, "model_not_found", param="model")
        return model

    async def _guess(self, tally: Tally, router: LiveRouter, texts: list[str]) -> Guess | None:
        if router.classifier is None:
            return None
        if router.classifier.is_quick:
            return router.guess(texts)

        def in_thread() -> Guess | None:
            close_old_connections()
            try:
                with tenant_scope(tally.caller.tenant_id):
                    return router.guess(texts)
            except DatabaseError:
                return None

        asking = sync_to_async(in_thread, thread_sensitive=False, executor=self._threads)()
        try:
            return await asyncio.wait_for(asking, LONGEST_WAIT)
        except TimeoutError:
            return None
