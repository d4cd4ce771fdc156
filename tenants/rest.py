"""What the REST viewsets of every app share."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework import mixins, viewsets

MISSING = OpenApiResponse(OpenApiTypes.OBJECT, "Nothing of that id in your organisation (problem+json).")
INVALID = OpenApiResponse(OpenApiTypes.OBJECT, "A value is wrong; `field` or `errors` name it (problem+json).")


class ReadOnly(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    """List and retrieve."""
