"""REST: sweeps and their runs by held-out loss."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from adapters.base_models.queries import base_model_named
from adapters.models import Sweep
from adapters.recipes.hyperparameters import CHOICES
from adapters.sweeps.examples import A_SWEEP, NEW_SWEEP
from adapters.sweeps.serializers import NewSweepSerializer, SweepDetailSerializer, SweepSerializer
from adapters.sweeps.services import start_sweep, stop_sweep
from adapters.training.api import NOT_READY, UNKNOWN
from corpora.versions.queries import dataset_version_named
from rest.views import INVALID, MISSING, ReadOnly
from tenants.permissions import Action
from tenants.requests import person_of, tenant_of


@extend_schema_view(
    list=extend_schema(summary="Sweeps, newest first"),
    retrieve=extend_schema(
        summary="One sweep, with its runs sorted by held-out loss",
        responses={200: SweepDetailSerializer, 404: MISSING},
        examples=[A_SWEEP],
    ),
)
class SweepViewSet(ReadOnly):
    reads = Action.ADAPTERS_VIEW
    writes = Action.ADAPTERS_TRAIN
    filterset_fields = ("adapter",)

    def get_serializer_class(self) -> type[SweepSerializer]:
        return SweepSerializer if self.action == "list" else SweepDetailSerializer

    def get_queryset(self) -> QuerySet[Sweep]:
        return Sweep.objects.select_related("adapter")

    @extend_schema(
        summary="Start a sweep",
        request=NewSweepSerializer,
        examples=[NEW_SWEEP],
        responses={201: SweepDetailSerializer, 400: INVALID, 404: UNKNOWN, 409: NOT_READY},
    )
    def create(self, request: Request) -> Response:
        wanted = NewSweepSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        values: dict[str, Any] = wanted.validated_data
        chosen = {name: values[name] for name in CHOICES if values.get(name)}
        sweep = start_sweep(
            tenant=tenant_of(request),
            adapter_name=values["adapter"],
            dataset_version=dataset_version_named(values["dataset_version"]),
            base_model=base_model_named(values["base_model"]) if values.get("base_model") else None,
            recipe=values["recipe"],
            overrides=values["overrides"] | chosen,
            grid=values["grid"],
            created_by=person_of(request),
        )
        return Response(self.get_serializer(sweep).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Stop a sweep",
        description="Stops every unfinished run. Finished runs keep their versions. Repeating the call has no effect.",
        request=None,
        responses={200: SweepDetailSerializer, 404: MISSING},
    )
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: UUID) -> Response:
        return Response(self.get_serializer(stop_sweep(sweep_id=self.get_object().id)).data)
