"""The gateway's few questions to the database, asked in threads of their own."""

import datetime as dt
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

import structlog
from asgiref.sync import sync_to_async
from django.db import Error as DatabaseError
from django.db import close_old_connections
from django.db.models import Count

from serving.backends.base import EndpointBackend
from serving.endpoints.queries import EndpointNotSetUp, backend_of, context_of, places
from serving.gateway.cache import ShortCache
from serving.gateway.errors import AWAY, GatewayError
from serving.models import Deployment, Route, Trial, TrialState
from serving.routing.live import LiveRouter, live_routers
from serving.trials.services import keep_copy, wants_copy
from tenants.keys.services import authenticate_api_key
from tenants.scope import tenant_scope

log = structlog.get_logger(__name__)

CALLER_SECONDS = 2.0
ROUTES_SECONDS = 0.5
THREADS = 4

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks: the tenant and key behind a credential."""

    tenant_id: UUID
    key_id: UUID


@dataclass(frozen=True, kw_only=True)
class Split:
    """A trial that runs: the share of callers whom `candidate` answers, and whether copies of requests are wanted."""

    trial_id: str
    salt: str
    share: float
    candidate: "Model"
    wants_copies: bool = False


@dataclass(frozen=True, kw_only=True)
class Model:
    """What a name in a request stands for; what a version alone has is empty for a base model.

    `context` is in tokens, `endpoint` a name.
    """

    alias: str
    backend: EndpointBackend
    name: str
    context: int
    endpoint: str = ""
    version_id: str | None = None
    version_number: int | None = None
    package_sha256: str | None = None
    since: int = 0
    split: Split | None = None

    @property
    def deployment(self) -> str | None:
        """The deployment's name at the endpoint, None for a base model."""
        return self.name if self.version_id else None


@dataclass(frozen=True, kw_only=True)
class Models:
    """Every model of one tenant at one moment, by the name it is asked for, and its routers."""

    tenant_id: UUID
    by_name: dict[str, Model] = field(default_factory=dict)
    routers: dict[str, LiveRouter] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A request of a trial's caller, and what both versions answered."""

    trial_id: UUID
    caller: str
    messages: list[dict[str, Any]]
    live_text: str
    candidate_text: str
    error_code: str


Versions = dict[int, Model]


class Directory:
    """Callers by token, models by tenant: read from the database, kept for a moment."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="database")
        self._callers: ShortCache[str, Caller] = ShortCache(seconds=CALLER_SECONDS, size=4096)
        self._models: ShortCache[UUID, Models] = ShortCache(seconds=ROUTES_SECONDS, size=4096)
        self._versions: ShortCache[tuple[UUID, str], Versions] = ShortCache(seconds=ROUTES_SECONDS, size=4096)

    async def caller(self, token: str) -> Caller | None:
        """The caller behind a live API key, else None. A revoked key is refused within CALLER_SECONDS."""
        # Tokens themselves are not kept, not even in memory.
        key = hashlib.sha256(token.encode()).hexdigest()
        return await self._callers.get(key, lambda: self._run(find_caller, token))

    async def models(self, caller: Caller) -> Models:
        """What the caller's tenant may ask, at most ROUTES_SECONDS old."""
        found = await self._models.get(caller.tenant_id, lambda: self._run(find_models, caller.tenant_id))
        return found or Models(tenant_id=caller.tenant_id)

    async def versions(self, caller: Caller, alias: str) -> Versions:
        """The versions of an alias that can answer, by their numbers, at most ROUTES_SECONDS old."""
        look_up = partial(self._run, find_versions, caller.tenant_id, alias)
        return await self._versions.get((caller.tenant_id, alias), look_up) or {}

    async def wants_copy(self, caller: Caller, trial_id: str, mark: str) -> bool:
        """Whether a trial still wants a copy of this caller's request."""
        return await self._run(_wants_copy, caller.tenant_id, UUID(trial_id), mark)

    async def keep_copy(self, caller: Caller, copy: Copy) -> None:
        """Store what both versions answered."""
        await self._run(_keep_copy, caller.tenant_id, copy)

    def close(self) -> None:
        """End the threads, and their connections with them."""
        self._threads.shutdown(wait=True)

    async def _run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        def in_thread() -> R:
            close_old_connections()
            try:
                return function(*args, **kwargs)
            except DatabaseError as error:
                log.error("database_unavailable", error=type(error).__name__)
                text = "API keys and models can’t be looked up right now. Try again in a few seconds."
                raise GatewayError(503, text, "database_unavailable", retry_after=5) from error
            except EndpointNotSetUp as error:
                log.error("endpoint_not_set_up", error=str(error))
                raise GatewayError(503, AWAY, "endpoint_unavailable", retry_after=30) from error

        return await sync_to_async(in_thread, thread_sensitive=False, executor=self._threads)()


def find_caller(token: str) -> Caller | None:
    """Ask the database for the key behind a token."""
    key = authenticate_api_key(token)
    return Caller(tenant_id=key.tenant_id, key_id=key.id) if key else None


def find_models(tenant_id: UUID) -> Models:
    """Read the tenant's routes, and the base models that its endpoints serve."""
    by_name: dict[str, Model] = {}
    with tenant_scope(tenant_id):
        for place in places():
            name = place.base_model.name
            by_name[name] = Model(
                alias=name,
                backend=backend_of(place),
                name=name,
                context=context_of(place),
                endpoint=place.name,
                since=int(place.created_at.timestamp()),
            )
        related = ("endpoint__base_model", "version")
        running = Trial.objects.filter(state=TrialState.RUNNING).annotate(copied=Count("copies"))
        trials = {t.live_id: t for t in running.select_related(*(f"candidate__{name}" for name in related))}
        for route in Route.objects.exclude(active=None).select_related(*(f"active__{name}" for name in related)):
            model = _model(route.alias, route.active, since=route.switched_at or route.created_at)
            if trial := trials.get(route.active.id):
                candidate = _model(route.alias, trial.candidate, since=trial.created_at)
                split = Split(
                    trial_id=str(trial.id),
                    salt=trial.salt,
                    share=trial.share,
                    candidate=candidate,
                    wants_copies=trial.copied < trial.copies_wanted,
                )
                model = replace(model, split=split)
            by_name[route.alias] = model
        routers = {router.name: router for router in live_routers() if router.name not in by_name}
    return Models(tenant_id=tenant_id, by_name=by_name, routers=routers)


def find_versions(tenant_id: UUID, alias: str) -> Versions:
    """Read the deployments of an alias that can answer: live, on trial, or replaced and not taken off yet."""
    with tenant_scope(tenant_id):
        related = ("endpoint__base_model", "version")
        held = Deployment.objects.live().filter(version__adapter__name=alias).select_related(*related)
        return {
            deployment.version.number: _model(alias, deployment, since=deployment.created_at)
            # While a tenant is moved, the newest one is where requests go next.
            for deployment in held.order_by("created_at")
        }


def _model(alias: str, deployment: Deployment, *, since: dt.datetime) -> Model:
    return Model(
        alias=alias,
        backend=backend_of(deployment.endpoint),
        name=deployment.name,
        context=context_of(deployment.endpoint),
        endpoint=deployment.endpoint.name,
        version_id=str(deployment.version_id),
        version_number=deployment.version.number,
        package_sha256=deployment.version.package_sha256,
        since=int(since.timestamp()),
    )


def _wants_copy(tenant_id: UUID, trial_id: UUID, mark: str) -> bool:
    with tenant_scope(tenant_id):
        return wants_copy(trial_id, mark)


def _keep_copy(tenant_id: UUID, copy: Copy) -> None:
    with tenant_scope(tenant_id):
        keep_copy(
            trial_id=copy.trial_id,
            caller=copy.caller,
            messages=copy.messages,
            live_text=copy.live_text,
            candidate_text=copy.candidate_text,
            error_code=copy.error_code,
        )
