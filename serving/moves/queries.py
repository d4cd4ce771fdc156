"""Reads of moves, for the active tenant."""

from uuid import UUID

from django.db.models import Q, QuerySet

from jobs.models import Job
from jobs.states import TERMINAL
from serving.models import UNSETTLED, Deployment, Endpoint, Route

MOVE = "endpoint_move"
"""The kind of a move's job."""


def unfinished_move(base_model_id: UUID) -> Job | None:
    """The move of a base model's adapters that is under way, if one is."""
    under_way = Job.objects.exclude(state__in=TERMINAL)
    return under_way.filter(kind=MOVE, spec__base_model=str(base_model_id)).first()


def routes_elsewhere(endpoint: Endpoint) -> QuerySet[Route]:
    """Live aliases on the endpoint's base model that another endpoint answers."""
    elsewhere = Route.objects.filter(active__endpoint__base_model=endpoint.base_model_id)
    related = ("adapter", "active__version", "active__endpoint", "previous__version", "previous__endpoint")
    return elsewhere.exclude(active__endpoint=endpoint).select_related(*related)


def unsettled_elsewhere(endpoint: Endpoint) -> bool:
    """Whether a promotion or a trial that began before still has a deployment on another endpoint of that base."""
    others = Deployment.objects.filter(endpoint__base_model=endpoint.base_model_id, state__in=UNSETTLED)
    return others.exclude(endpoint=endpoint).exists()


def brought_in_vain(endpoint: Endpoint) -> QuerySet[Deployment]:
    """Deployments on the endpoint of versions whose aliases another one answers."""
    routes = routes_elsewhere(endpoint)
    versions = Q(version__in=routes.values("active__version")) | Q(version__in=routes.values("previous__version"))
    return Deployment.objects.filter(versions, endpoint=endpoint, state__in=UNSETTLED)
