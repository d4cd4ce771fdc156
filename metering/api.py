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

from metering.costs.queries import costs_of_slice
from metering.costs.serializers import CostLineSerializer, JudgeLineSerializer
from metering.models import Grain
from metering.usage.queries import usage_of
from metering.usage.serializers import (
    FiguresSerializer,
    UsageLineSerializer,
    UsagePointSerializer,
    UsageQuerySerializer,
)
from metering.usage.wanted import FILTERS
from tenants.permissions import Action


@extend_schema_serializer(many=False)
class UsageSerializer(serializers.Serializer[Any]):
    """Usage and cost in whole hours. Narrowed to a part of the requests, `costs` are those of serving them.

    `total_usd` is the sum of the cost lines: what this site charges (`site_usd`), and what you pay to your own
    providers (`provider_usd`). It is without `calls_without_cost` and `requests_without_cost`. `judges` are the parts
    of the lines with `calls`.
    """

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    total = FiguresSerializer()
    lines = UsageLineSerializer(many=True)
    series = UsagePointSerializer(many=True)
    costs = CostLineSerializer(many=True)
    judges = JudgeLineSerializer(many=True)
    total_usd = serializers.DecimalField(max_digits=16, decimal_places=6)
    site_usd = serializers.DecimalField(max_digits=16, decimal_places=6)
    provider_usd = serializers.DecimalField(max_digits=16, decimal_places=6)
    calls_without_cost = serializers.IntegerField()
    requests_without_cost = serializers.IntegerField()


EXAMPLE = OpenApiExample(
    "One adapter",
    response_only=True,
    value={
        "start": "2026-11-01T00:00:00Z",
        "end": "2026-11-02T00:00:00Z",
        "total": {
            "requests": 120, "errors": 1, "refused": 0, "limited": 1, "failed": 0, "disconnected": 0,
            "prompt_tokens": 5400, "cached_tokens": 0, "completion_tokens": 2100, "cold_starts": 1, "busy_ms": 9100.5,
            "queue_ms": 1.2, "p50_ms": 140.2, "p95_ms": 310.9, "p99_ms": 402.3, "first_p50_ms": 61.0,
            "first_p95_ms": 118.2, "used_cost": "0.000253", "idle_cost": "0.000000", "requests_without_cost": 0,
        },
        "lines": [],
        "series": [],
        "costs": [
            {
                "kind": "judging", "title": "Judging", "paid_to": "provider", "seconds": None, "usd_per_hour": None,
                "calls": {
                    "calls": 240, "without_price": 0, "without_tokens": 0, "tokens_in": 96000, "tokens_out": 14400
                },
                "requests_without_cost": 0, "price_source": "Set on your judges",
                "basis": "paid to your provider: tokens × the price set on your judge", "usd": "0.384000",
            },
            {
                "kind": "serving", "title": "Serving on shared", "paid_to": "site", "seconds": 9.1,
                "usd_per_hour": "0.1000", "calls": None, "requests_without_cost": 0, "price_source": "Configured",
                "basis": "your share of each hour’s cost, by what you used of the endpoint", "usd": "0.000253",
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
        "requests_without_cost": 0,
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
            OpenApiParameter("by", enum=[by.value for by in FILTERS], description="What each line is of."),
            OpenApiParameter("grain", enum=Grain.values, description="Adds `series`, at most 32 days by hour."),
            *(
                OpenApiParameter(by.value, description=f"Only this {by.label}: the `value` of a line `by={by.value}`.")
                for by in FILTERS
            ),
        ],
        responses={
            200: UsageSerializer,
            400: OpenApiResponse(OpenApiTypes.OBJECT, "Invalid parameter; see `errors` (problem+json)."),
        },
        examples=[EXAMPLE],
    )
    def list(self, request: Request) -> Response:
        query = UsageQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        wanted, by, grain = (query.validated_data[name] for name in ("wanted", "by", "grain"))
        usage, costs = usage_of(wanted, by), costs_of_slice(wanted)
        series = usage.series(grain) if grain else {}
        document = {
            "start": wanted.start,
            "end": wanted.end,
            "total": usage.total,
            "lines": usage.lines[:],
            "series": [{"start": at, "figures": figures} for at, figures in series.items()],
            "costs": costs.lines,
            "judges": costs.judges,
            "total_usd": costs.total_usd,
            "site_usd": costs.site_usd,
            "provider_usd": costs.provider_usd,
            "calls_without_cost": costs.calls_without_cost,
            "requests_without_cost": costs.requests_without_cost,
        }
        return Response(UsageSerializer(document).data)


router = SimpleRouter()
router.register("usage", UsageViewSet, basename="usage")
