"""REST: an organisation's charges in FOCUS 1.3."""

from django.http import FileResponse, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.routers import SimpleRouter

from metering.focus.downloads import focus_response, metadata_response, unknown_response
from metering.focus.export import FORMATS
from metering.focus.serializers import FocusQuerySerializer, MonthSerializer
from rest.views import INVALID, AsItIs
from tenants.models import Tenant
from tenants.permissions import Action
from tenants.scope import active_tenant_id

CHARGES = OpenApiExample(
    "A part of an endpoint’s cost, the first columns",
    "AllocatedMethodDetails,AllocatedMethodId,AllocatedResourceId,…\n"
    '"{""Elements"":[{""AllocatedRatio"":0.000278,""UsageUnit"":""Seconds"",""UsageQuantity"":1}]}",'
    "engine-time.idle-unallocated,organisations/alder-law/models/clause-summary,…\n",
    response_only=True,
    media_type="text/csv",
)
UNKNOWN = OpenApiExample(
    "A run without a price",
    "ChargePeriodStart,ChargePeriodEnd,x_OrganisationId,x_OrganisationName,ServiceName,ResourceId,ConsumedQuantity,"
    "ConsumedUnit,x_Reason\n"
    "2026-10-03T00:00:00Z,2026-10-04T00:00:00Z,5b0cbf7e-3b1b-4d59-8d0f-3f6f1f0a2c11,Alder Law,Training,"
    "jobs/0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11,0.1,Hours,No price was set\n",
    response_only=True,
    media_type="text/csv",
)
METADATA = OpenApiExample(
    "The first column and day of a month that is closed",
    response_only=True,
    value={
        "DataGenerator": {"DataGenerator": "Adapter Portal"},
        "DatasetInstance": [{
            "DatasetInstanceId": "portal.example.com/alder-law/day", "DatasetInstanceName": "Costs of Alder Law by day",
            "FocusDatasetId": "CostAndUsage",
        }],
        "Schema": [{
            "DatasetInstanceId": "portal.example.com/alder-law/day", "SchemaId": "focus-1.3-csv-0123456789ab",
            "FocusVersion": "1.3", "CreationDate": "2026-11-29T00:00:00Z",
            "ColumnDefinition": [
                {"ColumnName": "AllocatedMethodDetails", "DataType": "JSON", "StringEncoding": "UTF-8"}
            ],
        }],
        "Recency": [{
            "DatasetInstanceId": "portal.example.com/alder-law/day", "RecencyLastUpdated": "2026-11-05T09:00:00Z",
            "TimeSectors": [{
                "TimeSectorStart": "2026-10-01T00:00:00Z", "TimeSectorEnd": "2026-10-02T00:00:00Z",
                "TimeSectorComplete": True, "TimeSectorLastUpdated": "2026-11-04T00:00:12Z",
            }],
        }],
    },
)  # fmt: skip


class FocusViewSet(viewsets.ViewSet):
    """Costs of a month as a file for tools of cloud costs."""

    reads = Action.USAGE_VIEW
    content_negotiation_class = AsItIs

    @extend_schema(
        summary="Costs of a month in FOCUS 1.3",
        description=(
            "A file with a row for each charge and day: hosting by model version, used and idle, training and other "
            "runs, and calls of judges. `BilledCost` sums to `site_usd` of `usage/`, `EffectiveCost` to `total_usd`. "
            "What has no known cost is not in it: see `usage/focus/unknown/`."
        ),
        parameters=[FocusQuerySerializer],
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            (200, FORMATS["parquet"]): OpenApiTypes.BINARY,
            400: INVALID,
        },
        examples=[CHARGES],
    )
    def list(self, request: Request) -> FileResponse:
        query = FocusQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        wanted = query.validated_data
        return focus_response(wanted["month"], only=_tenant(), file_type=wanted["file_type"])

    @extend_schema(
        summary="What of a month has no known cost",
        parameters=[MonthSerializer],
        responses={(200, "text/csv"): OpenApiTypes.STR, 400: INVALID},
        examples=[UNKNOWN],
    )
    @action(detail=False)
    def unknown(self, request: Request) -> FileResponse:
        query = MonthSerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        return unknown_response(query.validated_data["month"], only=_tenant())

    @extend_schema(
        summary="Schema and recency of such a file, as FOCUS 1.3 defines them",
        description="Its `Link` header leads here. A day or hour is complete as soon as its month is closed.",
        parameters=[FocusQuerySerializer],
        responses={200: OpenApiTypes.OBJECT, 400: INVALID},
        examples=[METADATA],
    )
    @action(detail=False)
    def metadata(self, request: Request) -> HttpResponse:
        query = FocusQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        wanted = query.validated_data
        return metadata_response(wanted["month"], only=_tenant(), file_type=wanted["file_type"])


def _tenant() -> Tenant:
    return Tenant.objects.get(id=active_tenant_id())


router = SimpleRouter()
router.register("usage/focus", FocusViewSet, basename="focus")
