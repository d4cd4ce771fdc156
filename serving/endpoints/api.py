"""REST: endpoints and deployments."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view

from rest.views import MISSING, ReadOnly
from serving.endpoints.queries import deployments, places
from serving.endpoints.serializers import DeploymentSerializer, EndpointSerializer
from serving.models import Deployment, Endpoint
from tenants.permissions import Action


@extend_schema_view(
    list=extend_schema(summary="The shared endpoints that serve your adapters"),
    retrieve=extend_schema(summary="One endpoint", responses={200: EndpointSerializer, 404: MISSING}),
)
class EndpointViewSet(ReadOnly):
    reads = Action.ENDPOINT_VIEW
    serializer_class = EndpointSerializer

    def get_queryset(self) -> QuerySet[Endpoint]:
        return places()


@extend_schema_view(
    list=extend_schema(summary="Current and past deployments, newest first"),
    retrieve=extend_schema(summary="One deployment", responses={200: DeploymentSerializer, 404: MISSING}),
)
class DeploymentViewSet(ReadOnly):
    reads = Action.ENDPOINT_VIEW
    serializer_class = DeploymentSerializer
    filterset_fields = ("version", "state")

    def get_queryset(self) -> QuerySet[Deployment]:
        return deployments()
