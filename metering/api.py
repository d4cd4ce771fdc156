"""REST: usage and cost over a time range, and what a cloud counted in it."""

import datetime as dt
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
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from metering.alerts.api import AlertViewSet
from metering.budgets.api import BudgetViewSet
from metering.costs.queries import costs_of_slice
from metering.costs.serializers import CostLineSerializer, JudgeLineSerializer
from metering.models import Grain
from metering.observed.queries import compared
from metering.observed.serializers import ObservedComparisonSerializer
from metering.statements.api import router as statements
from metering.usage.queries import usage_of
from metering.usage.serializers import (
    FiguresSerializer,
    RangeSerializer,
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
    providers (`provider_usd`). It is without `calls_without_cost`, `requests_without_cost`, `seconds_without_cost` and
    `gb_months_without_cost`, and without storage in `storage_hours_not_measured`.
    `judges` are the parts of the lines with `calls`.
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
    seconds_without_cost = serializers.FloatField(help_text="Of runs whose price is not known.")
    gb_months_without_cost = serializers.DecimalField(
        max_digits=16, decimal_places=6, help_text="Of storage whose price is not known."
    )
    storage_hours_not_measured = serializers.IntegerField()


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
                "requests_without_cost": 0, "gb_months": None, "usd_per_gb_month": None,
                "price_source": "Set on your judges, or the site’s price of the model",
                "basis": "paid to your provider: tokens × price per token", "usd": "0.384000",
            },
            {
                "kind": "serving", "title": "Serving on shared", "paid_to": "site", "seconds": 9.1,
                "usd_per_hour": "0.1000", "calls": None, "requests_without_cost": 0, "gb_months": None,
                "usd_per_gb_month": None, "price_source": "Configured",
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
        "seconds_without_cost": 0.0,
        "gb_months_without_cost": "0.000000",
        "storage_hours_not_measured": 0,
    },
)  # fmt: skip


LONGEST_COMPARISON = dt.timedelta(days=31)


class ObservedQuerySerializer(RangeSerializer):
    """A range of up to 31 days, and one model or version in it."""

    model = serializers.CharField(required=False, max_length=60, help_text="Name of an adapter.")
    version = serializers.UUIDField(required=False, help_text="Adapter version id.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        times = super().validate({name: attrs[name] for name in ("start", "end") if name in attrs})
        if times["end"] - times["start"] > LONGEST_COMPARISON:
            raise serializers.ValidationError({"start": f"Request at most {LONGEST_COMPARISON.days} days at a time."})
        return {**attrs, **times}


OBSERVED_EXAMPLE = OpenApiExample(
    "One adapter",
    response_only=True,
    value={
        "start": "2026-11-01T09:00:00Z",
        "end": "2026-11-01T11:00:00Z",
        "requests": 120,
        "observed_requests": 119,
        "difference": -1,
        "difference_percent": -0.8333333333333334,
        "hours_without_data": [],
        "hours": [
            {
                "hour": "2026-11-01T09:00:00Z", "requests": 120, "errors": 1, "p95_ms": 310.9, "observed_requests": 119,
                "observed_errors": 0, "observed_p95_ms": 262.4, "difference": -1,
                "difference_percent": -0.8333333333333334, "is_provisional": False,
            },
            {
                "hour": "2026-11-01T10:00:00Z", "requests": 0, "errors": 0, "p95_ms": None, "observed_requests": None,
                "observed_errors": None, "observed_p95_ms": None, "difference": None, "difference_percent": None,
                "is_provisional": False,
            },
        ],
        "lines": [
            {
                "hour": "2026-11-01T09:00:00Z", "model": "clause-summary",
                "version": "8d1f7f0e-2f0c-4c8e-9c55-2a5ad2f3c0b1",
                "deployment": "3901c185da1849cb9dd2-50d4b1201d2323e6872fc163", "requests": 119, "errors_4xx": 0,
                "errors_5xx": 0, "model_errors": 0, "p50_ms": 118.2, "p95_ms": 262.4, "p99_ms": 301.7,
                "mean_ms": 131.5, "overhead_ms": 6.1, "read_at": "2026-11-15T09:12:00Z",
            }
        ],
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
            "seconds_without_cost": costs.seconds_without_cost,
            "gb_months_without_cost": costs.gb_months_without_cost,
            "storage_hours_not_measured": costs.hours_not_measured,
        }
        return Response(UsageSerializer(document).data)

    @extend_schema(
        summary="What CloudWatch counted, beside the gateway’s own figures, by hour",
        parameters=[ObservedQuerySerializer],
        responses={
            200: ObservedComparisonSerializer,
            400: OpenApiResponse(OpenApiTypes.OBJECT, "Invalid query; see `errors` (problem+json)."),
            404: OpenApiResponse(OpenApiTypes.OBJECT, "No such model or version on an endpoint that is watched."),
        },
        examples=[OBSERVED_EXAMPLE],
    )
    @action(detail=False)
    def observed(self, request: Request) -> Response:
        wanted = ObservedQuerySerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        return Response(ObservedComparisonSerializer(compared(**wanted.validated_data)).data)


router = SimpleRouter()
router.register("usage", UsageViewSet, basename="usage")
router.registry.extend(statements.registry)
router.register("budgets", BudgetViewSet, basename="budget")
router.register("alerts", AlertViewSet, basename="alert")
