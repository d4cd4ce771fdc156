"""Reads of endpoints and of the active tenant's deployments."""

from django.db.models import QuerySet

from serving.models import Deployment, Endpoint


def deployments() -> QuerySet[Deployment]:
    """Newest first, also those that are gone."""
    return Deployment.objects.select_related("version__adapter", "endpoint")


def endpoints_by_name() -> QuerySet[Endpoint]:
    """The shared endpoints with their base models."""
    return Endpoint.objects.select_related("base_model")
