"""REST: endpoints and deployments."""

from typing import Any

from rest_framework import serializers

from serving.models import Deployment, Endpoint


class EndpointSerializer(serializers.ModelSerializer[Endpoint]):
    """A shared endpoint and the base model on it."""

    base_model = serializers.SlugRelatedField[Any](slug_field="name", read_only=True)

    class Meta:
        model = Endpoint
        fields = ("id", "name", "base_model", "state", "created_at")


class DeploymentSerializer(serializers.ModelSerializer[Deployment]):
    """One version on one endpoint."""

    endpoint = serializers.SlugRelatedField[Any](slug_field="name", read_only=True)

    class Meta:
        model = Deployment
        fields = (
            "id",
            "endpoint",
            "version",
            "name",
            "state",
            "error_text",
            "drain_until",
            "in_service_at",
            "deleted_at",
            "created_at",
        )
