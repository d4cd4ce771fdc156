"""Reads across all tenants, for the operator. Each enters the site's scope by itself and returns rows, not queries."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from jobs.models import Job
from jobs.prices import HourlyPrice, prices_of
from jobs.states import State
from rest.errors import NotFound
from serving.backends.alarms import AlarmState
from serving.backends.base import EndpointBackend
from serving.endpoints.provisioning import VERBS
from serving.endpoints.queries import EndpointNotSetUp, backend_of, endpoints_by_name
from serving.models import (
    HELD,
    CapacityPrediction,
    Deployment,
    DeploymentState,
    Endpoint,
    EndpointAlarm,
    Placement,
    Route,
)
from serving.moves.queries import MOVE
from tenants.models import Tenant
from tenants.scope import system_scope

ON_A_PAGE = 25
PREDICTIONS = 20
"""How many are shown, and judged together."""

SORTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "tenant": ("Organisation", ("tenant__name", "version__adapter__name", "-version__number")),
    "model": ("Model ID", ("version__adapter__name", "tenant__name", "-version__number")),
    "rank": ("Highest rank", ("-version__rank", "tenant__name", "version__adapter__name")),
    "newest": ("Newest", ("-created_at",)),
}
"""Orders of adapters by key: title, columns."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """An endpoint and what is on it; no `backend` and no `price` where the settings no longer fit it.

    `alarms` says how many of its cloud's alarms there are now.
    """

    endpoint: Endpoint
    backend: EndpointBackend | None
    price: HourlyPrice | None
    live: int
    held: int
    tenants: int
    alarms: int

    @property
    def is_passing(self) -> bool:
        """Whether it is being created, changed or deleted."""
        return self.endpoint.state in VERBS


@dataclass(frozen=True, kw_only=True)
class TenantHere:
    """A tenant with its place or live adapters on an endpoint.

    `place` is where its adapters go from now on; `move` is the last one, if it runs or failed; `targets` are where it
    can be moved.
    """

    tenant: Tenant
    live: int
    place: Endpoint | None
    move: Job | None
    targets: list[Endpoint]

    @property
    def is_moving(self) -> bool:
        return self.move is not None and not self.move.is_terminal

    @property
    def has_failed(self) -> bool:
        return self.move is not None and self.move.state == State.FAILED


def lines() -> list[Line]:
    """All endpoints but those that were deleted, by name."""
    found = list(endpoints_by_name())
    with system_scope():
        live = _counts(Route.objects.exclude(active=None), "active__endpoint")
        held = _counts(Deployment.objects.filter(state__in=HELD), "endpoint")
        tenants = _counts(Placement.objects.all(), "endpoint")
    alarms = _counts(EndpointAlarm.objects.filter(state=AlarmState.ALARM.value), "endpoint")
    return [
        Line(
            endpoint=one,
            backend=backend,
            price=price,
            live=live.get(one.id, 0),
            held=held.get(one.id, 0),
            tenants=tenants.get(one.id, 0),
            alarms=alarms.get(one.id, 0),
        )
        for one, (backend, price) in zip(found, _priced(found), strict=True)
    ]


def endpoint_of(endpoint_id: UUID) -> Endpoint:
    """Also one that was deleted. Raises NotFound."""
    endpoint = Endpoint.objects.select_related("base_model").filter(id=endpoint_id).first()
    if endpoint is None:
        raise NotFound("Endpoint not found.")
    return endpoint


def line_of(endpoint: Endpoint) -> Line:
    """One endpoint and what is on it."""
    with system_scope():
        live = Route.objects.filter(active__endpoint=endpoint).count()
        held = Deployment.objects.filter(endpoint=endpoint, state__in=HELD).count()
        tenants = Placement.objects.filter(endpoint=endpoint).count()
    alarms = EndpointAlarm.objects.filter(endpoint=endpoint, state=AlarmState.ALARM.value).count()
    [(backend, price)] = _priced([endpoint])
    return Line(endpoint=endpoint, backend=backend, price=price, live=live, held=held, tenants=tenants, alarms=alarms)


def alarms_on(endpoint: Endpoint) -> list[EndpointAlarm]:
    """What its cloud's alarms said last, those where there is alarm first."""
    return sorted(EndpointAlarm.objects.filter(endpoint=endpoint), key=lambda one: one.state != AlarmState.ALARM)


def drained_at(endpoint: Endpoint) -> Any:
    """When the last adapter that drains on it is let go; None if none does."""
    with system_scope():
        draining = Deployment.objects.filter(endpoint=endpoint, state=DeploymentState.DRAINING)
        return draining.aggregate(last=Max("drain_until"))["last"]


def adapters_on(endpoint: Endpoint, *, sort: str, number: str | None) -> Page[Deployment]:
    """A page of the adapters that it holds; `is_live` says whether requests for their model ID go there."""
    with system_scope():
        held = Deployment.objects.filter(endpoint=endpoint, state__in=HELD).defer("version__manifest")
        held = held.select_related("tenant", "version__adapter")
        held = held.annotate(is_live=Exists(Route.objects.filter(active_id=OuterRef("id"))))
        return _read(held.order_by(*SORTS[sort][1], "id"), number)


def predictions_on(endpoint: Endpoint) -> list[CapacityPrediction]:
    """The last predictions for adapters that came to it, newest first."""
    with system_scope():
        rows = CapacityPrediction.objects.filter(endpoint=endpoint)
        rows = rows.select_related("tenant", "deployment__version__adapter").defer("deployment__version__manifest")
        return list(rows.order_by("-created_at", "id")[:PREDICTIONS])


def deployment_on(endpoint: Endpoint, deployment_id: UUID) -> Deployment:
    """An adapter of `adapters_on`. Raises NotFound."""
    with system_scope():
        held = Deployment.objects.filter(endpoint=endpoint, state__in=HELD, id=deployment_id)
        deployment = held.select_related("version__adapter", "endpoint").first()
    if deployment is None:
        raise NotFound("This adapter is not on the endpoint.")
    return deployment


def tenants_on(endpoint: Endpoint, *, number: str | None) -> Page[TenantHere]:
    """A page of the tenants that have their place or live adapters there, by name."""
    serving = list(Endpoint.objects.serving().filter(base_model=endpoint.base_model_id))
    with system_scope():
        page = _read(_tenants(endpoint).order_by("name", "id"), number)
        shown = [tenant.id for tenant in page]
        live = _counts(Route.objects.filter(active__endpoint=endpoint, tenant__in=shown), "tenant")
        placements = Placement.objects.filter(base_model=endpoint.base_model_id, tenant__in=shown)
        places = {one.tenant_id: one.endpoint for one in placements.select_related("endpoint")}
        moves = {job.tenant_id: job for job in _last_moves(endpoint, shown) if job.state in _TOLD}
    page.object_list = [
        _tenant_here(tenant, live.get(tenant.id, 0), places.get(tenant.id), moves.get(tenant.id), serving)
        for tenant in page
    ]
    return page


def tenant_on(endpoint: Endpoint, tenant_id: UUID) -> Tenant:
    """A tenant of `tenants_on`. Raises NotFound."""
    with system_scope():
        tenant = _tenants(endpoint).filter(id=tenant_id).first()
    if tenant is None:
        raise NotFound("This organisation has no adapters on the endpoint.")
    return tenant


_TOLD = {State.QUEUED, State.RUNNING, State.STOPPING, State.FAILED}


def _priced(found: list[Endpoint]) -> Iterator[tuple[EndpointBackend | None, HourlyPrice | None]]:
    """What talks to each and what it costs; the prices are looked up together."""
    backends = [_backend(endpoint) for endpoint in found]
    prices = iter(prices_of([backend for backend in backends if backend is not None]))
    return ((backend, next(prices) if backend is not None else None) for backend in backends)


def _backend(endpoint: Endpoint) -> EndpointBackend | None:
    try:
        return backend_of(endpoint)
    except EndpointNotSetUp:
        return None


def _tenant_here(
    tenant: Tenant, live: int, place: Endpoint | None, move: Job | None, serving: list[Endpoint]
) -> TenantHere:
    failed = move is not None and move.state == State.FAILED
    targets = [endpoint for endpoint in serving if failed or endpoint != place]
    return TenantHere(tenant=tenant, live=live, place=place, move=move, targets=targets)


def _tenants(endpoint: Endpoint) -> QuerySet[Tenant]:
    placed = Placement.objects.filter(endpoint=endpoint).values("tenant")
    live = Route.objects.filter(active__endpoint=endpoint).values("tenant")
    return Tenant.objects.filter(Q(id__in=placed) | Q(id__in=live))


def _last_moves(endpoint: Endpoint, tenants: list[UUID]) -> QuerySet[Job]:
    moves = Job.objects.filter(kind=MOVE, spec__base_model=str(endpoint.base_model_id), tenant__in=tenants)
    return moves.order_by("tenant_id", "-created_at").distinct("tenant_id")


def _counts(rows: QuerySet[Any], by: str) -> dict[UUID, int]:
    return {row[by]: row["rows"] for row in rows.order_by().values(by).annotate(rows=Count("id"))}


def _read(rows: QuerySet[Any], number: str | None) -> Page[Any]:
    page = Paginator(rows, ON_A_PAGE).get_page(number)
    page.object_list = list(page.object_list)
    return page
