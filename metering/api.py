"""REST: usage and cost of a range of time."""

import datetime as dt
from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from metering.costs import costs_of
from metering.queries import usage_of

DEFAULT_RANGE = dt.timedelta(hours=24)
LONGEST_RANGE = dt.timedelta(days=366)


class RangeSerializer(serializers.Serializer[Any]):
    """`start` and `end` of the query; by default the last 24 hours."""

    start = serializers.DateTimeField(required=False)
    end = serializers.DateTimeField(required=False)

    def validate(self, attrs: dict[str, dt.datetime]) -> dict[str, dt.datetime]:
        end = attrs.get("end") or timezone.now()
        start = attrs.get("start") or end - DEFAULT_RANGE
        if start >= end:
            raise serializers.ValidationError({"start": "The start must be before the end."})
        if end - start > LONGEST_RANGE:
            raise serializers.ValidationError({"start": f"Ask for at most {LONGEST_RANGE.days} days at a time."})
        return {"start": start, "end": end}


class FiguresSerializer(serializers.Serializer[Any]):
    """Counts, tokens, and latencies in milliseconds."""

    requests = serializers.IntegerField()
    errors = serializers.IntegerField()  # type: ignore[assignment]
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    busy_ms = serializers.FloatField(help_text="the endpoint's own time")
    p50_ms = serializers.FloatField(allow_null=True)
    p95_ms = serializers.FloatField(allow_null=True)


class UsageLineSerializer(serializers.Serializer[Any]):
    """One alias and version."""

    alias = serializers.CharField(help_text="empty for requests of a model that does not exist")
    version = serializers.CharField(source="version_key", help_text="adapter version id, empty for a base model")
    figures = FiguresSerializer()


class CostLineSerializer(serializers.Serializer[Any]):
    """One kind of cost at one price."""

    kind = serializers.CharField()
    title = serializers.CharField()
    seconds = serializers.FloatField()
    usd_per_hour = serializers.DecimalField(max_digits=10, decimal_places=4)
    price_source = serializers.CharField()
    basis = serializers.CharField()
    usd = serializers.DecimalField(max_digits=16, decimal_places=6)


@extend_schema_serializer(many=False)
class UsageSerializer(serializers.Serializer[Any]):
    """Usage and cost of whole hours; `total_usd` is the sum of the cost lines."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    total = FiguresSerializer()
    lines = UsageLineSerializer(many=True)
    costs = CostLineSerializer(many=True)
    total_usd = serializers.DecimalField(max_digits=16, decimal_places=6)


EXAMPLE = OpenApiExample(
    "One adapter",
    response_only=True,
    value={
        "start": "2026-11-01T00:00:00Z",
        "end": "2026-11-02T00:00:00Z",
        "total": {
            "requests": 120, "errors": 1, "prompt_tokens": 5400, "completion_tokens": 2100, "busy_ms": 9100.5,
            "p50_ms": 140.2, "p95_ms": 310.9,
        },
        "lines": [],
        "costs": [
            {
                "kind": "serving", "title": "Serving on shared", "seconds": 9.1, "usd_per_hour": "0.1000",
                "price_source": "Configured", "basis": "busy time × price per hour", "usd": "0.000253",
            }
        ],
        "total_usd": "0.000253",
    },
)  # fmt: skip


class UsageViewSet(viewsets.ViewSet):
    """How much, how fast, what it cost."""

    @extend_schema(
        summary="Usage and cost of a range of time, in whole hours",
        parameters=[
            OpenApiParameter("start", OpenApiTypes.DATETIME, description="default: 24 hours before the end"),
            OpenApiParameter("end", OpenApiTypes.DATETIME, description="default: now"),
        ],
        responses={
            200: UsageSerializer,
            400: OpenApiResponse(OpenApiTypes.OBJECT, "A time is wrong; `errors` name it (problem+json)."),
        },
        examples=[EXAMPLE],
    )
    def list(self, request: Request) -> Response:
        wanted = RangeSerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        usage, costs = usage_of(**wanted.validated_data), costs_of(**wanted.validated_data)
        document = {
            "start": usage.start,
            "end": usage.end,
            "total": usage.total,
            "lines": usage.lines,
            "costs": costs.lines,
            "total_usd": costs.total_usd,
        }
        return Response(UsageSerializer(document).data)


router = SimpleRouter()
router.register("usage", UsageViewSet, basename="usage")
