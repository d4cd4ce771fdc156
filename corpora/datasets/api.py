"""REST endpoints of datasets."""

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from corpora.datasets.examples import (
    A_DATASET,
    MAPPED_DATASET,
    NEW_DATASET,
    NOT_EMPTY,
    PREFERENCES,
    RENAMED,
    TAKEN,
)
from corpora.datasets.serializers import DatasetChangeSerializer, DatasetSerializer, NewDatasetSerializer
from corpora.datasets.services import change_dataset, delete_dataset
from corpora.models import Dataset, DatasetVersion
from corpora.versions.examples import (
    A_VERSION,
    AWAY,
    FULL,
    MAPPED_VERSION,
    NEW_VERSION,
    SAME,
    TOO_LARGE,
    WRONG,
    WRONG_QUERY,
)
from corpora.versions.serializers import NewVersionSerializer, VersionSerializer
from corpora.versions.services import upload_version
from rest.parsers import StrictJSONParser
from rest.views import INVALID, MISSING, OutsideTransactions
from tenants.permissions import Action
from tenants.requests import person_of, tenant_of


@extend_schema_view(
    list=extend_schema(
        summary="List datasets, newest first",
        responses={200: DatasetSerializer(many=True), 400: WRONG_QUERY},
        examples=[A_DATASET],
    ),
    retrieve=extend_schema(
        summary="Get a dataset", responses={200: DatasetSerializer, 404: MISSING}, examples=[A_DATASET]
    ),
)
class DatasetViewSet(
    OutsideTransactions, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Dataset]
):
    """Datasets, each with its latest version."""

    reads = Action.DATASETS_VIEW
    writes = Action.DATASETS_EDIT
    # Uploads stream into storage, so no request may hold a transaction open: OutsideTransactions.
    serializer_class = DatasetSerializer
    parser_classes = (MultiPartParser,)
    filterset_fields = ("name",)

    def get_queryset(self) -> QuerySet[Dataset]:
        return Dataset.objects.with_latest()

    @extend_schema(
        summary="Upload a file as a new dataset",
        description="Returns immediately. Poll the version until its `state` is `ready` or `rejected`.",
        request={"multipart/form-data": NewDatasetSerializer},
        responses={201: DatasetSerializer, 400: WRONG, 409: SAME, 413: TOO_LARGE, 503: AWAY, 507: FULL},
        examples=[NEW_DATASET, MAPPED_DATASET, PREFERENCES, A_DATASET],
    )
    def create(self, request: Request) -> Response:
        version = self._upload(request, NewDatasetSerializer(data=request.data))
        dataset = self.get_queryset().get(id=version.dataset_id)
        return Response(self.get_serializer(dataset).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Upload a file as the next version",
        description="Returns immediately. Poll the version until its `state` is `ready` or `rejected`.",
        request={"multipart/form-data": NewVersionSerializer},
        responses={
            201: VersionSerializer, 400: WRONG, 404: MISSING, 409: SAME, 413: TOO_LARGE, 503: AWAY, 507: FULL,
        },
        examples=[NEW_VERSION, MAPPED_VERSION, A_VERSION],
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def versions(self, request: Request, pk: UUID) -> Response:
        dataset = self.get_object()
        version = self._upload(request, NewVersionSerializer(data=request.data), dataset=dataset)
        return Response(
            VersionSerializer(version, context=self.get_serializer_context()).data, status=status.HTTP_201_CREATED
        )

    @extend_schema(
        summary="Change a dataset's name or description",
        request={"application/json": DatasetChangeSerializer},
        responses={200: DatasetSerializer, 400: INVALID, 404: MISSING, 409: TAKEN},
        examples=[RENAMED, A_DATASET],
    )
    def partial_update(self, request: Request, pk: UUID) -> Response:
        dataset = self.get_object()
        body = DatasetChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        change_dataset(dataset=dataset, **body.validated_data)
        return Response(self.get_serializer(dataset).data)

    @extend_schema(summary="Delete a dataset without versions", responses={204: None, 404: MISSING, 409: NOT_EMPTY})
    def destroy(self, request: Request, pk: UUID) -> Response:
        delete_dataset(dataset=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def get_parsers(self) -> list[BaseParser]:
        # Only uploads are multipart forms. The schema generator calls this without a request.
        request = getattr(self, "request", None)
        return [StrictJSONParser()] if request is not None and request.method == "PATCH" else super().get_parsers()

    def _upload(
        self, request: Request, body: NewVersionSerializer, *, dataset: Dataset | None = None
    ) -> DatasetVersion:
        body.is_valid(raise_exception=True)
        file = body.validated_data["file"]
        return upload_version(
            tenant=tenant_of(request),
            file=file,
            file_name=file.name,
            dataset=dataset,
            dataset_name=body.validated_data.get("name", ""),
            options=body.validated_data.get("options"),
            created_by=person_of(request),
        )
