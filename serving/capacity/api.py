"""REST: endpoints with their capacity."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from rest.views import MISSING
from serving.capacity.own import own_capacity
from serving.capacity.serializers import OwnCapacitySerializer
from serving.endpoints import api

EXAMPLE = {
    "highest_rank": 64,
    "context_tokens": 4096,
    "adapters_take_turns": True,
    "adapters": [
        {
            "deployment": "0a6f3f8e-1a4b-4a5e-9f43-0a3f5f2f7c11",
            "version": "7c8d1b52-6f1d-4b63-8a6e-1f8f0f1f2a33",
            "alias": "legal",
            "rank": 16,
            "requests_per_hour": 42.5,
            "tier": "hot",
        }
    ],
}


# The OpenAPI document would show a docstring as the description of each operation.
class EndpointViewSet(api.EndpointViewSet):
    @extend_schema(
        summary="What an endpoint takes, and where your adapters usually are",
        responses={200: OwnCapacitySerializer, 404: MISSING},
        examples=[OpenApiExample("Adapters take turns", EXAMPLE, response_only=True)],
    )
    @action(detail=True, pagination_class=None)
    def capacity(self, request: Request, **kwargs: Any) -> Response:
        return Response(OwnCapacitySerializer(own_capacity(self.get_object())).data)
