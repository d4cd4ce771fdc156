"""What a source watches: the deployments of every tenant and the endpoints, by their names in the cloud."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

import structlog

from metering.backends import usage_sources
from metering.backends.base import Place, UsageSource
from serving.endpoints.queries import EndpointNotSetUp, backend_of
from serving.models import HELD, Deployment, DeploymentState, Endpoint, EndpointState
from tenants.scope import system_scope

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Watched:
    """Something in the cloud that may have figures since `since`, and until `until` if it has gone."""

    name: str
    since: dt.datetime
    until: dt.datetime | None


@dataclass(frozen=True, kw_only=True)
class WatchedComponent(Watched):
    """A tenant's deployment on one endpoint."""

    tenant_id: UUID
    deployment: str


@dataclass(frozen=True, kw_only=True)
class WatchedEndpoint(Watched):
    """An endpoint."""

    endpoint_id: UUID
    place: Place


def watched(source: UsageSource) -> tuple[list[WatchedComponent], list[WatchedEndpoint]]:
    """Everything that the source watches, also what is gone."""
    components: list[WatchedComponent] = []
    sites: list[WatchedEndpoint] = []
    for endpoint in Endpoint.objects.select_related("base_model"):
        place = _place(endpoint, source)
        if place is None:
            continue
        gone = endpoint.state_since if endpoint.state == EndpointState.DELETED else None
        sites.append(
            WatchedEndpoint(
                name=place.endpoint, since=endpoint.created_at, until=gone, endpoint_id=endpoint.id, place=place
            )
        )
        components += _components(endpoint, gone)
    return components, sites


def watched_endpoints() -> list[UUID]:
    """The endpoints that any source watches."""
    sites = Endpoint.objects.select_related("base_model") if usage_sources else ()
    sources = list(usage_sources.values())
    return [site.id for site in sites if any(_place(site, source) is not None for source in sources)]


def _place(endpoint: Endpoint, source: UsageSource) -> Place | None:
    """Where the endpoint is in the cloud; None if the source does not watch it."""
    if not source.watches(endpoint.backend):
        return None
    try:
        component = backend_of(endpoint).target(endpoint.base_model.name).component()
    except EndpointNotSetUp as error:
        log.warning("endpoint_not_watched", endpoint=endpoint.name, error=str(error))
        return None
    return Place(endpoint=component[0], base=component[1]) if component else None


def _components(endpoint: Endpoint, gone: dt.datetime | None) -> Iterator[WatchedComponent]:
    """The deployments that were ever in service, those of the same name joined. None outlives its endpoint."""
    backend, found = backend_of(endpoint), dict[tuple[UUID, str], WatchedComponent]()
    with system_scope():
        deployments = Deployment.objects.filter(endpoint=endpoint).exclude(in_service_at=None)
        for one in deployments.only("tenant_id", "name", "state", "created_at", "in_service_at", "deleted_at"):
            component = backend.target(one.name).component()
            if component is None:
                continue
            new = WatchedComponent(
                name=component[1],
                since=one.created_at,
                until=_gone(one) or gone,
                tenant_id=one.tenant_id,
                deployment=one.name,
            )
            known = found.setdefault((one.tenant_id, one.name), new)
            both_gone = known.until is not None and new.until is not None
            found[one.tenant_id, one.name] = replace(
                known,
                since=min(known.since, new.since),
                until=max(known.until, new.until) if both_gone else None,  # type: ignore[type-var]
            )
    yield from found.values()


def _gone(deployment: Deployment) -> dt.datetime | None:
    """When it left the endpoint; None while it is there."""
    if deployment.state in HELD:
        return None
    if deployment.state == DeploymentState.FAILED and deployment.in_service_at is not None:
        # It failed while it was tried, and nothing says when.
        return deployment.in_service_at + dt.timedelta(days=1)
    return deployment.deleted_at
