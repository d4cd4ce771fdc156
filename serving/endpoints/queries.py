"""Reads of endpoints, and of the active tenant's place and deployments."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from rest.errors import NotFound
from serving.backends import endpoints
from serving.backends.base import EndpointBackend
from serving.models import Deployment, Endpoint, Placement


class EndpointNotSetUp(Exception):
    """The ENDPOINTS setting no longer fits an endpoint that was made with it."""


def backend_of(endpoint: Endpoint) -> EndpointBackend:
    """What talks to an endpoint. Raises EndpointNotSetUp."""
    try:
        return endpoints.of(endpoint.backend, endpoint.options)
    except (KeyError, ValueError) as error:
        raise EndpointNotSetUp(f"{endpoint.name}: {error}") from error


def usual_options(alias: str) -> dict[str, Any]:
    """What an endpoint of an alias has where it sets nothing for itself. Raises KeyError."""
    return {**endpoints[alias].options, **settings.ENDPOINTS[alias].get("OPTIONS", {})}


def context_of(endpoint: Endpoint) -> int:
    """The longest context that it takes, in tokens."""
    longest = endpoint.base_model.context_length
    return min(longest, backend_of(endpoint).context_tokens or longest)


def deployments() -> QuerySet[Deployment]:
    """Newest first, also those that are gone."""
    return Deployment.objects.select_related("version__adapter", "endpoint")


def endpoints_by_name() -> QuerySet[Endpoint]:
    """The site's endpoints with their base models, but those that were deleted."""
    return Endpoint.objects.standing().select_related("base_model")


def endpoint_named(name: str) -> Endpoint:
    """Raises NotFound."""
    endpoint = endpoints_by_name().filter(name=name).first()
    if endpoint is None:
        raise NotFound("Endpoint not found.")
    return endpoint


def place_of(base_model_id: UUID) -> Endpoint | None:
    """Where the active tenant's adapters of a base model are deployed, or would be; None if nothing serves it."""
    placement = Placement.objects.filter(base_model=base_model_id).select_related("endpoint__base_model").first()
    if placement is not None:
        placed: Endpoint = placement.endpoint
        return placed
    standing = Endpoint.objects.standing().select_related("base_model")
    return standing.filter(base_model=base_model_id, is_default=True).first()


def places() -> QuerySet[Endpoint]:
    """The endpoints of the active tenant: for each base model where it is placed, else the default one."""
    placements = Placement.objects.all()
    is_default = Q(is_default=True) & ~Q(base_model__in=placements.values("base_model"))
    return endpoints_by_name().filter(is_default | Q(id__in=placements.values("endpoint")))
