"""REST: datasets, their versions and uploads."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.decorators import method_decorator
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from corpora.models import Dataset, DatasetVersion
from corpora.serializers import (
    DatasetSerializer,
    NewDatasetSerializer,
    NewVersionSerializer,
    VersionDetailSerializer,
    VersionSerializer,
)
from corpora.services import upload_version
from tenants.requests import person_of, tenant_of
from tenants.rest import MISSING

VERSION = {
    "id": "5e1d6a52-6a1b-4d41-9a35-4f6f0d9f5a01",
    "dataset": "c2b9c6a7-0a8e-4b7f-8a3c-1e2d3f405162",
    "number": 1,
    "state": "checking",
    "job": {"id": "0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11", "state": "running", "fraction": 0.4},
    "error": None,
    "file_name": "clauses.jsonl",
    "file_format": "",
    "upload_bytes": 48211,
    "upload_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "rows_sha256": "",
    "row_count": 0,
    "train_count": 0,
    "test_count": 0,
    "problem_count": 0,
    "created_at": "2026-11-22T17:00:00Z",
}
REJECTION = {
    "state": "rejected",
    "error": {
        "code": "dataset:missing_field",
        "text": "Line 3, completion: “completion” is missing. Fill it in, or take the row out.",
    },
    "file_format": "jsonl",
    "row_count": 39,
    "problem_count": 1,
    "problems": [
        {
            "line": 3,
            "field": "completion",
            "code": "dataset:missing_field",
            "text": "“completion” is missing. Fill it in, or take the row out.",
        }
    ],
    "profile": {"layout": "prompt and completion", "position": "line", "warnings": []},
}
DATASET = {
    "id": VERSION["dataset"],
    "name": "Clauses",
    "description": "",
    "created_at": "2026-11-22T17:00:00Z",
    "version": VERSION,
}
NEW_DATASET = OpenApiExample(
    "A file and a name",
    {"name": "Clauses", "file": "(the content of clauses.jsonl)"},
    request_only=True,
    media_type="multipart/form-data",
)
NEW_VERSION = OpenApiExample(
    "A file", {"file": "(the content of clauses.jsonl)"}, request_only=True, media_type="multipart/form-data"
)
A_DATASET = OpenApiExample("A dataset whose file is being checked", DATASET, response_only=True)
A_VERSION = OpenApiExample("A version that is being checked", VERSION, response_only=True)
A_REJECTION = OpenApiExample("A rejected version", VERSION | REJECTION, response_only=True)

WRONG = OpenApiResponse(OpenApiTypes.OBJECT, "No file, an empty file (`dataset:empty_file`) or no name (problem+json).")
WRONG_QUERY = OpenApiResponse(OpenApiTypes.OBJECT, "A query parameter is not valid (problem+json).")
SAME = OpenApiResponse(
    OpenApiTypes.OBJECT, "`dataset:same_file`: the dataset has these bytes; `version` is their id (problem+json)."
)
TOO_LARGE = OpenApiResponse(OpenApiTypes.OBJECT, "`dataset:too_large` (problem+json).")


@method_decorator(transaction.non_atomic_requests, name="dispatch")
@extend_schema_view(
    list=extend_schema(
        summary="Datasets, newest first", responses={200: DatasetSerializer(many=True), 400: WRONG_QUERY}
    ),
    retrieve=extend_schema(
        summary="One dataset", responses={200: DatasetSerializer, 404: MISSING}, examples=[A_DATASET]
    ),
)
class DatasetViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Dataset]):
    """Named lines of versions. An upload streams into storage, so no request here holds a transaction open."""

    serializer_class = DatasetSerializer
    parser_classes = (MultiPartParser,)
    filterset_fields = ("name",)

    def get_queryset(self) -> QuerySet[Dataset]:
        return Dataset.objects.with_latest()

    def handle_exception(self, exc: Exception) -> Response:
        # Django REST framework marks the innermost transaction for rollback; without one here, it would be a caller's.
        with transaction.atomic():
            return super().handle_exception(exc)

    @extend_schema(
        summary="Upload a file as a new dataset",
        description="The answer comes at once; ask for the version until its `state` is `ready` or `rejected`.",
        request={"multipart/form-data": NewDatasetSerializer},
        responses={201: DatasetSerializer, 400: WRONG, 409: SAME, 413: TOO_LARGE},
        examples=[NEW_DATASET, A_DATASET],
    )
    def create(self, request: Request) -> Response:
        version = self._upload(request, NewDatasetSerializer(data=request.data))
        dataset = self.get_queryset().get(id=version.dataset_id)
        return Response(self.get_serializer(dataset).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Upload a file as the next version",
        description="The answer comes at once; ask for the version until its `state` is `ready` or `rejected`.",
        request={"multipart/form-data": NewVersionSerializer},
        responses={201: VersionSerializer, 400: WRONG, 404: MISSING, 409: SAME, 413: TOO_LARGE},
        examples=[NEW_VERSION, A_VERSION],
    )
    @action(detail=True, methods=["post"])
    def versions(self, request: Request, pk: UUID) -> Response:
        dataset = self.get_object()
        version = self._upload(request, NewVersionSerializer(data=request.data), dataset=dataset)
        return Response(
            VersionSerializer(version, context=self.get_serializer_context()).data, status=status.HTTP_201_CREATED
        )

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
            created_by=person_of(request),
        )


@extend_schema_view(
    list=extend_schema(
        summary="Versions, newest first", responses={200: VersionSerializer(many=True), 400: WRONG_QUERY}
    ),
    retrieve=extend_schema(
        summary="One version, with what its check found",
        responses={200: VersionDetailSerializer, 404: MISSING},
        examples=[A_REJECTION],
    ),
)
class DatasetVersionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[DatasetVersion]):
    """Immutable versions of datasets."""

    filterset_fields = ("dataset", "state")

    def get_serializer_class(self) -> type[VersionSerializer]:
        return VersionDetailSerializer if self.action == "retrieve" else VersionSerializer

    def get_queryset(self) -> QuerySet[DatasetVersion]:
        versions = DatasetVersion.objects.select_related("job").defer("preview")
        return versions.defer("problems", "profile") if self.action == "list" else versions


router = SimpleRouter()
router.register("datasets", DatasetViewSet, basename="dataset")
router.register("dataset-versions", DatasetVersionViewSet, basename="dataset-version")
