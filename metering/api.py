"""REST: usage and cost over a time range."""

from typing import Any

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

from metering.costs.queries import costs_of
from metering.costs.serializers import CostLineSerializer, JudgeLineSerializer
from metering.usage.queries import usage_of
from metering.usage.serializers import FiguresSerializer, RangeSerializer, UsageLineSerializer
from tenants.permissions import Action


@extend_schema_serializer(many=False)
class UsageSerializer(serializers.Serializer[Any]):
    """Usage and cost in whole hours.

    `total_usd` is the sum of the cost lines: what this site charges (`site_usd`), and what you pay to your own
    providers (`provider_usd`). It is without `calls_without_cost` and `seconds_without_cost`. `judges` are the parts of
    the lines with `calls`.
    """

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    total = FiguresSerializer()
    lines = UsageLineSerializer(many=True)
    costs = CostLineSerializer(many=True)
    judges = JudgeLineSerializer(many=True)
    total_usd = serializers.DecimalField(max_digits=16, decimal_places=6)
    site_usd = serializers.DecimalField(max_digits=16, decimal_places=6)
    provider_usd = serializers.DecimalField(max_digits=16, decimal_places=6)
    calls_without_cost = serializers.IntegerField()
    seconds_without_cost = serializers.FloatField(help_text="Of runs and endpoints whose price is not known.")


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
                "kind": "judging", "title": "Judging", "paid_to": "provider", "seconds": None, "usd_per_hour": None,
                "calls": {
                    "calls": 240, "without_price": 0, "without_tokens": 0, "tokens_in": 96000, "tokens_out": 14400
                },
                "price_source": "Set on your judges",
                "basis": "paid to your provider: tokens × the price set on your judge", "usd": "0.384000",
            },
            {
                "kind": "serving", "title": "Serving on shared", "paid_to": "site", "seconds": 9.1,
                "usd_per_hour": "0.1000", "calls": None, "price_source": "Configured",
                "basis": "busy time × price per hour", "usd": "0.000253",
            },
        ],
        "judges": [
            {
                "purpose": "judging", "judge": "5b0cbf7e-3b1b-4d59-8d0f-3f6f1f0a2c11", "name": "Strict",
                "paid_to": "provider",
                "calls": {
                    "calls": 240, "without_price": 0, "without_tokens": 0, "tokens_in": 96000, "tokens_out": 14400
                },
                "usd": "0.384000",
            }
        ],
        "total_usd": "0.384253",
        "site_usd": "0.000253",
        "provider_usd": "0.384000",
        "calls_without_cost": 0,
        "seconds_without_cost": 0.0,
    },
)  # fmt: skip


class UsageViewSet(viewsets.ViewSet):
    """Requests, latency, tokens and cost."""

    reads = Action.USAGE_VIEW

    @extend_schema(
        summary="Usage and cost over a time range, in whole hours",
        parameters=[
            OpenApiParameter("start", OpenApiTypes.DATETIME, description="Defaults to 24 hours before the end."),
            OpenApiParameter("end", OpenApiTypes.DATETIME, description="Defaults to now."),
        ],
        responses={
            200: UsageSerializer,
            400: OpenApiResponse(OpenApiTypes.OBJECT, "Invalid `start` or `end`; see `errors` (problem+json)."),
        },
        examples=[EXAMPLE],
    )
    def list(self, request: Request) -> Response:
        wanted = RangeSerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        usage = usage_of(**wanted.validated_data)
        costs = costs_of(**wanted.validated_data, usage=usage)
        document = {
            "start": usage.start,
            "end": usage.end,
            "total": usage.total,
            "lines": usage.lines[:],
            "costs": costs.lines,
            "judges": costs.judges,
            "total_usd": costs.total_usd,
            "site_usd": costs.site_usd,
            "provider_usd": costs.provider_usd,
            "calls_without_cost": costs.calls_without_cost,
            "seconds_without_cost": costs.seconds_without_cost,
        }
        return Response(UsageSerializer(document).data)


router = SimpleRouter()
router.register("usage", UsageViewSet, basename="usage")
