"""The gateway's few questions to the database, asked in threads of their own."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar
from uuid import UUID

import structlog
from asgiref.sync import sync_to_async
from django.db import Error as DatabaseError
from django.db import close_old_connections

from serving.gateway.cache import ShortCache
from serving.gateway.errors import GatewayError
from serving.models import Endpoint, Route
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
class Model:
    """What a name in a request stands for; the last three are empty for a base model. `context` is in tokens."""

    alias: str
    endpoint: str
    name: str
    context: int
    version_id: str | None = None
    version_number: int | None = None
    since: int = 0

    @property
    def deployment(self) -> str | None:
        """The deployment's name at the endpoint, None for a base model."""
        return self.name if self.version_id else None


@dataclass(frozen=True, kw_only=True)
class Models:
    """Every model of one tenant at one moment, by the name it is asked for."""

    tenant_id: UUID
    by_name: dict[str, Model] = field(default_factory=dict)


class Directory:
    """Callers by token, models by tenant: read from the database, kept for a moment."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="database")
        self._callers: ShortCache[str, Caller] = ShortCache(seconds=CALLER_SECONDS, size=4096)
        self._models: ShortCache[UUID, Models] = ShortCache(seconds=ROUTES_SECONDS, size=4096)

    async def caller(self, token: str) -> Caller | None:
        """The caller behind a live API key, else None. A revoked key is refused within CALLER_SECONDS."""
        # Tokens themselves are not kept, not even in memory.
        key = hashlib.sha256(token.encode()).hexdigest()
        return await self._callers.get(key, lambda: self._run(find_caller, token))

    async def models(self, caller: Caller) -> Models:
        """What the caller's tenant may ask, at most ROUTES_SECONDS old."""
        found = await self._models.get(caller.tenant_id, lambda: self._run(find_models, caller.tenant_id))
        return found or Models(tenant_id=caller.tenant_id)

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

        return await sync_to_async(in_thread, thread_sensitive=False, executor=self._threads)()


def find_caller(token: str) -> Caller | None:
    """Ask the database for the key behind a token."""
    key = authenticate_api_key(token)
    return Caller(tenant_id=key.tenant_id, key_id=key.id) if key else None


def find_models(tenant_id: UUID) -> Models:
    """Read the tenant's routes, and the base models that its endpoints serve."""
    by_name: dict[str, Model] = {}
    for endpoint in Endpoint.objects.select_related("base_model"):
        base = endpoint.base_model
        since = int(endpoint.created_at.timestamp())
        by_name[base.name] = Model(
            alias=base.name, endpoint=endpoint.backend, name=base.name, context=base.context_length, since=since
        )
    with tenant_scope(tenant_id):
        rows = Route.objects.exclude(active=None).select_related("active__endpoint__base_model", "active__version")
        for route in rows:
            by_name[route.alias] = Model(
                alias=route.alias,
                endpoint=route.active.endpoint.backend,
                name=route.active.name,
                context=route.active.endpoint.base_model.context_length,
                version_id=str(route.active.version_id),
                version_number=route.active.version.number,
                since=int((route.switched_at or route.created_at).timestamp()),
            )
    return Models(tenant_id=tenant_id, by_name=by_name)
