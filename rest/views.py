"""Base classes and responses shared by the REST viewsets of every app."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework import mixins, viewsets
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

MISSING = OpenApiResponse(OpenApiTypes.OBJECT, "No object with this ID in your organisation (problem+json).")
INVALID = OpenApiResponse(OpenApiTypes.OBJECT, "A value is invalid; see `field` or `errors` (problem+json).")
LOST = OpenApiResponse(OpenApiTypes.OBJECT, "`platform:object_missing`: storage has lost it (problem+json).")


# The OpenAPI document shows an inherited docstring as a view's description, so these two have comments.


# Lists and retrieves.
class ReadOnly(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    pass


# For views that read from storage or wait for bytes; their services open transactions themselves.
class OutsideTransactions(APIView):
    @method_decorator(transaction.non_atomic_requests)
    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return super().dispatch(request, *args, **kwargs)

    def handle_exception(self, exc: Exception) -> Response:
        # Django REST framework marks the innermost transaction for rollback; without one here, it would be a caller's.
        with transaction.atomic():
            return super().handle_exception(exc)


class AsItIs(DefaultContentNegotiation):
    """Content negotiation for files: a file is sent in its own type, whatever `Accept` says."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type
