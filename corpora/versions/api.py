"""REST endpoints of dataset versions, their contents and the decisions about them."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from corpora.lineage import uses_of
from corpora.models import NOT_LISTED, DatasetVersion
from corpora.versions import contents_examples as examples
from corpora.versions.contents_serializers import (
    DiffQuerySerializer,
    DiffSerializer,
    ExportQuerySerializer,
    FindingsQuerySerializer,
    FindingsSerializer,
    RecheckSerializer,
    RowsQuerySerializer,
    RowsSerializer,
    UsesSerializer,
)
from corpora.versions.diff import MAX_ROWS, diff, previous_ready, version_to_compare
from corpora.versions.evaluation_sets import mark_as_evaluation_set
from corpora.versions.examples import A_REJECTION, A_VERSION, WRONG_QUERY
from corpora.versions.exports import export_response
from corpora.versions.findings import read_findings
from corpora.versions.rows import Rows
from corpora.versions.serializers import VersionDetailSerializer, VersionSerializer
from corpora.versions.services import delete_version, keep_personal_data, recheck_version
from rest.views import INVALID, LOST, MISSING, AsItIs, OutsideTransactions
from tenants.permissions import Action
from tenants.requests import person_of

NOT_NOW = OpenApiResponse(
    OpenApiTypes.OBJECT,
    "`dataset:still_checking`, `dataset:version_gone`, or `dataset:version_in_use` if an adapter or evaluation uses "
    "it (problem+json).",
)
SAME = OpenApiResponse(
    OpenApiTypes.OBJECT,
    "`dataset:same_file`: this version exists already, `version` is its id; `dataset:gone` or "
    "`dataset:version_gone` (problem+json).",
)
TRAINED_ON = OpenApiResponse(
    OpenApiTypes.OBJECT,
    "`dataset:trained_on`: an adapter was trained on it; `dataset:not_ready` (problem+json).",
)
NOT_READY = OpenApiResponse(
    OpenApiTypes.OBJECT, "`dataset:not_ready`: the version, or the one compared with, has no rows (problem+json)."
)
A_FILE = {(200, "application/x-ndjson"): OpenApiTypes.STR, (200, "text/csv"): OpenApiTypes.STR}


@extend_schema_view(
    list=extend_schema(
        summary="List dataset versions, newest first",
        responses={200: VersionSerializer(many=True), 400: WRONG_QUERY},
        examples=[A_VERSION],
    ),
    retrieve=extend_schema(
        summary="Get a version with its first problems and profile",
        responses={200: VersionDetailSerializer, 404: MISSING},
        examples=[A_REJECTION],
    ),
)
class DatasetVersionViewSet(
    OutsideTransactions, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[DatasetVersion]
):
    """Immutable versions of datasets, their rows and findings."""

    reads = Action.DATASETS_VIEW
    writes = Action.DATASETS_EDIT
    # Rows are read from storage, so no request may hold a transaction open: OutsideTransactions.
    filterset_fields = ("dataset", "state")

    def get_serializer_class(self) -> type[VersionSerializer]:
        return VersionDetailSerializer if self.action == "retrieve" else VersionSerializer

    def get_queryset(self) -> QuerySet[DatasetVersion]:
        versions = DatasetVersion.objects.select_related("job", "dataset")
        return versions.defer(*NOT_LISTED) if self.action == "list" else versions

    @extend_schema(
        summary="Delete an unused version",
        responses={204: None, 404: MISSING, 409: NOT_NOW},
    )
    def destroy(self, request: Request, pk: UUID) -> Response:
        delete_version(version=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="List or search rows",
        description="Each search request reads a part of a large version, so a page can be empty and have a `next`.",
        parameters=[RowsQuerySerializer],
        responses={200: RowsSerializer, 400: INVALID, 404: MISSING, 409: NOT_READY, 503: LOST},
        examples=[examples.SOME_ROWS],
        filters=False,
    )
    @action(detail=True, pagination_class=None)
    def rows(self, request: Request, pk: UUID) -> Response:
        version = self.get_object()
        query = _read(RowsQuerySerializer(data=request.query_params))
        rows = Rows(version, query["split"])
        found = (
            rows.search(query["q"], cursor=query["cursor"], size=query["size"])
            if query["q"]
            else rows.page(cursor=query["cursor"], size=query["size"])
        )
        return Response(RowsSerializer(found).data)

    @extend_schema(
        summary="List problems and notices",
        description="In order of lines. Near duplicates and near leaks come last.",
        parameters=[FindingsQuerySerializer],
        responses={200: FindingsSerializer, 400: INVALID, 404: MISSING, 503: LOST},
        examples=[examples.SOME_FINDINGS],
        filters=False,
    )
    @action(detail=True, pagination_class=None)
    def findings(self, request: Request, pk: UUID) -> Response:
        version = self.get_object()
        query = _read(FindingsQuerySerializer(data=request.query_params))
        part = read_findings(version, code=query["code"], cursor=query["cursor"] or 0, size=query["size"])
        return Response(FindingsSerializer(part).data)

    @extend_schema(
        summary="Compare a version with another",
        description=f"Above {MAX_ROWS:,} rows, versions are not compared row by row, and `rows` is null.",
        parameters=[DiffQuerySerializer],
        responses={200: DiffSerializer, 400: INVALID, 404: MISSING, 409: NOT_READY, 503: LOST},
        examples=[examples.A_DIFF],
        filters=False,
    )
    @action(detail=True, pagination_class=None)
    def diff(self, request: Request, pk: UUID) -> Response:
        version = self.get_object()
        against = _read(DiffQuerySerializer(data=request.query_params))["against"]
        before = version_to_compare(version, against) if against else previous_ready(version)
        return Response(DiffSerializer(diff(before=before or version, after=version)).data)

    @extend_schema(
        summary="List the uses of a version",
        responses={200: UsesSerializer, 404: MISSING},
        examples=[examples.SOME_USES],
        filters=False,
    )
    @action(detail=True, pagination_class=None)
    def uses(self, request: Request, pk: UUID) -> Response:
        version = self.get_object()
        found = {"uses": uses_of([version.id]).get(version.id, [])}
        return Response(UsesSerializer(found, context=self.get_serializer_context()).data)

    @extend_schema(
        summary="Download rows, findings or left-out rows",
        description=(
            "Streams a file. JSONL is exact and can be uploaded again. CSV is for spreadsheets: UTF-8 with a byte "
            "order mark, an apostrophe before each cell that looks like a formula, and all turns of a prompt in one "
            "cell. `left_out` gives the rows that are not in the version as they stand in your JSONL, CSV or TSV file, "
            "whatever the `file_type`; for other files it is 409 `dataset:not_plain_text`."
        ),
        parameters=[ExportQuerySerializer],
        responses={**A_FILE, 400: INVALID, 404: MISSING, 409: NOT_READY, 503: LOST},
        examples=[examples.EXPORTED, examples.EXPORTED_CSV],
        filters=False,
    )
    @action(detail=True, pagination_class=None, content_negotiation_class=AsItIs)
    def export(self, request: Request, pk: UUID) -> StreamingHttpResponse:
        version = self.get_object()
        query = _read(ExportQuerySerializer(data=request.query_params))
        return export_response(version, content=query["content"], file_type=query["file_type"])

    @extend_schema(
        summary="Check the file again with other options",
        description=(
            "Creates the dataset's next version with all changes at once. Poll it until its `state` is `ready` or "
            "`rejected`."
        ),
        request=RecheckSerializer,
        responses={201: VersionSerializer, 400: INVALID, 404: MISSING, 409: SAME},
        examples=[examples.CLEAN, examples.MASK, examples.LEAVE_OUT, A_VERSION],
    )
    @action(detail=True, methods=["post"])
    def recheck(self, request: Request, pk: UUID) -> Response:
        version = self.get_object()
        changes = _read(RecheckSerializer(data=request.data))["options"]
        new = recheck_version(version=version, changes=changes, created_by=person_of(request))
        return Response(self.get_serializer(new).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Keep the personal data in a version",
        description="Records who decided this and when. Calling it again has no effect.",
        request=None,
        responses={200: VersionSerializer, 404: MISSING},
        examples=[A_VERSION],
    )
    @action(detail=True, methods=["post"], url_path="keep-personal-data")
    def keep_personal_data(self, request: Request, pk: UUID) -> Response:
        version = self.get_object()
        keep_personal_data(version=version, by=person_of(request))
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(
        summary="Keep a version for evaluation",
        description="All its rows are then asked in evaluations, and none can be trained on.",
        request=None,
        responses={200: VersionSerializer, 404: MISSING, 409: TRAINED_ON},
        examples=[A_VERSION],
    )
    @action(detail=True, methods=["put"], url_path="evaluation-set")
    def evaluation_set(self, request: Request, pk: UUID) -> Response:
        return self._marked(True)

    @extend_schema(
        summary="Allow training on a version again",
        request=None,
        responses={200: VersionSerializer, 404: MISSING},
        examples=[A_VERSION],
    )
    @evaluation_set.mapping.delete
    def no_evaluation_set(self, request: Request, pk: UUID) -> Response:
        return self._marked(False)

    def _marked(self, marked: bool) -> Response:
        mark_as_evaluation_set(version=self.get_object(), marked=marked)
        return Response(self.get_serializer(self.get_object()).data)


def _read(serializer: Serializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data
