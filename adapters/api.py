"""REST: base models, adapters, versions and training runs."""

from uuid import UUID

from django.db.models import QuerySet
from django.http import FileResponse
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from adapters.models import Adapter, AdapterVersion, BaseModel, TrainingRun
from adapters.packages import package_response
from adapters.serializers import (
    AdapterSerializer,
    AdapterVersionSerializer,
    BaseModelSerializer,
    NewTrainingSerializer,
    TrainingRunSerializer,
)
from adapters.services import start_training
from corpora.models import DatasetVersion
from tenants.errors import NotFound
from tenants.requests import person_of, tenant_of
from tenants.rest import MISSING, ReadOnly

NEW_TRAINING = OpenApiExample(
    "Train the next version",
    request_only=True,
    value={
        "adapter": "legal-summaries",
        "dataset_version": "0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11",
        "recipe": "style",
        "overrides": {"rank": 8, "epochs": 2},
    },
)


class VersionFilter(filters.FilterSet):
    """By adapter; an id of another tenant finds nothing."""

    adapter = filters.UUIDFilter(field_name="adapter_id")


class TrainingRunFilter(VersionFilter):
    """By adapter and by what was trained on."""

    dataset_version = filters.UUIDFilter(field_name="dataset_version_id")


@extend_schema_view(
    list=extend_schema(summary="Base models that adapters can be trained on"),
    retrieve=extend_schema(summary="One base model", responses={200: BaseModelSerializer, 404: MISSING}),
)
class BaseModelViewSet(ReadOnly):
    queryset = BaseModel.objects.all()
    serializer_class = BaseModelSerializer


@extend_schema_view(
    list=extend_schema(summary="Your adapters"),
    retrieve=extend_schema(summary="One adapter", responses={200: AdapterSerializer, 404: MISSING}),
)
class AdapterViewSet(ReadOnly):
    serializer_class = AdapterSerializer
    filterset_fields = ("name",)

    def get_queryset(self) -> QuerySet[Adapter]:
        return Adapter.objects.select_related("base_model")


@extend_schema_view(
    list=extend_schema(summary="Trained versions, newest first"),
    retrieve=extend_schema(summary="One version", responses={200: AdapterVersionSerializer, 404: MISSING}),
)
class AdapterVersionViewSet(ReadOnly):
    serializer_class = AdapterVersionSerializer
    filterset_class = VersionFilter

    def get_queryset(self) -> QuerySet[AdapterVersion]:
        return AdapterVersion.objects.select_related("adapter", "run")

    @extend_schema(
        summary="Download the package",
        description="A tar.gz of two files that `peft` reads as it is; `ETag` is its SHA-256.",
        responses={(200, "application/gzip"): OpenApiTypes.BINARY, 404: MISSING},
    )
    @action(detail=True, url_path="package")
    def package(self, request: Request, pk: str | None = None) -> FileResponse:
        return package_response(self.get_object())


@extend_schema_view(
    list=extend_schema(summary="Training runs, newest first"),
    retrieve=extend_schema(summary="One run and how it goes", responses={200: TrainingRunSerializer, 404: MISSING}),
)
class TrainingRunViewSet(ReadOnly):
    serializer_class = TrainingRunSerializer
    filterset_class = TrainingRunFilter

    def get_queryset(self) -> QuerySet[TrainingRun]:
        return TrainingRun.objects.select_related("adapter", "job", "version")

    @extend_schema(
        summary="Train the next version of an adapter",
        request=NewTrainingSerializer,
        examples=[NEW_TRAINING],
        responses={
            201: TrainingRunSerializer,
            400: OpenApiResponse(OpenApiTypes.OBJECT, "A value is wrong; `field` names it (problem+json)."),
            404: OpenApiResponse(OpenApiTypes.OBJECT, "No such dataset version or base model (problem+json)."),
            409: OpenApiResponse(
                OpenApiTypes.OBJECT, "The dataset version is not ready, with the next step (problem+json)."
            ),
        },
    )
    def create(self, request: Request) -> Response:
        wanted = NewTrainingSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        values = wanted.validated_data
        run = start_training(
            tenant=tenant_of(request),
            adapter_name=values["adapter"],
            dataset_version=_dataset_version(values["dataset_version"]),
            base_model=_base_model(values["base_model"]) if values["base_model"] else None,
            recipe=values["recipe"],
            overrides=values["overrides"],
            created_by=person_of(request),
        )
        return Response(self.get_serializer(run).data, status=status.HTTP_201_CREATED)


def _dataset_version(version_id: UUID) -> DatasetVersion:
    found = DatasetVersion.objects.select_related("dataset").filter(id=version_id).first()
    if found is None:
        raise NotFound("There is no such dataset version.", field="dataset_version")
    return found


def _base_model(name: str) -> BaseModel:
    found = BaseModel.objects.filter(name=name).first()
    if found is None:
        names = ", ".join(BaseModel.objects.values_list("name", flat=True))
        raise NotFound(f"There is no base model “{name}”. There are: {names}.", field="base_model")
    return found


router = SimpleRouter()
router.register("base-models", BaseModelViewSet, basename="base-model")
router.register("adapters", AdapterViewSet, basename="adapter")
router.register("adapter-versions", AdapterVersionViewSet, basename="adapter-version")
router.register("training-runs", TrainingRunViewSet, basename="training-run")
