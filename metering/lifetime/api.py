"""REST: what each version has cost over its life."""

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from metering.lifetime.advice import RECENT
from metering.lifetime.costs import lives
from metering.lifetime.live import advice_by_version
from metering.lifetime.savings import saving
from metering.lifetime.serializers import AdapterCostsSerializer
from metering.usage.queries import Slice
from tenants.permissions import Action

EXAMPLE = OpenApiExample(
    "One version",
    response_only=True,
    value={
        "versions": [
            {
                "version": "8d1f7f0e-2f0c-4c8e-9c55-2a5ad2f3c0b1", "adapter": "clause-summary", "number": 4,
                "requests": 12401, "tokens": 2480200, "training_usd": "1.310000", "evaluating_usd": "0.220000",
                "judging_usd": "0.384000", "serving_usd": "9.120000", "idle_usd": "2.070000", "total_usd": "13.104000",
                "usd_per_request": 0.0010567, "usd_per_1000_tokens": 0.0052834, "seconds_on_endpoints": 1209600.0,
                "without_price": 0,
                "advice": {"advice": "keep", "reason": "It answered 12,401 requests in the last 30 days."},
            }
        ],
        "rest_usd": "0.610000",
        "total_usd": "13.714000",
        "saving": {
            "start": "2026-11-01T09:00:00Z", "end": "2026-12-01T09:00:00Z", "together_usd": "11.190000",
            "apart_usd": 509.04, "share": 0.978017, "hours_without_price": 0.0,
            "parts": [{"endpoint": "shared", "hours": 336.0, "usd_per_hour": "1.515000", "usd": 509.04}],
        },
    },
)  # fmt: skip


@extend_schema_serializer(many=False)
class Costs(AdapterCostsSerializer):
    """One document, not a list."""


class AdapterCostsViewSet(viewsets.ViewSet):
    """What each version of your adapters has cost since it was trained."""

    reads = Action.USAGE_VIEW

    @extend_schema(
        summary="What each version has cost, what sharing endpoints saves, and what to do next",
        responses={200: Costs},
        examples=[EXAMPLE],
    )
    def list(self, request: Request) -> Response:
        now = timezone.now()
        found, advice = lives(), advice_by_version()
        document = {
            "versions": [{"life": life, "advice": advice.get(life.version.id)} for life in found.versions],
            "rest_usd": found.rest,
            "total_usd": found.total,
            "saving": saving(Slice.touching(now - RECENT, now)),
        }
        return Response(Costs(document).data)


router = SimpleRouter()
router.register("adapter-costs", AdapterCostsViewSet, basename="adapter-costs")
