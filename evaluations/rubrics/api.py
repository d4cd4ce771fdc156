"""REST endpoints of rubrics."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from corpora.models import DatasetVersion
from evaluations.models import Rubric
from evaluations.rubrics.document import RubricDocument, from_yaml, parsed
from evaluations.rubrics.examples import (
    A_PROMPT,
    A_ROW,
    A_RUBRIC,
    IN_USE,
    NEW_JSON,
    NEW_YAML,
    ROWS_OF_A_VERSION,
    TAKEN,
    WRONG,
)
from evaluations.rubrics.preview import RowPrompts, prompts, prompts_on_rows
from evaluations.rubrics.queries import document_of, rubrics
from evaluations.rubrics.serializers import PromptSerializer, RowSerializer, RubricBodySerializer, RubricSerializer
from evaluations.rubrics.services import change_rubric, create_rubric, delete_rubric
from rest.errors import NotFound
from rest.views import INVALID, MISSING
from tenants.permissions import Action
from tenants.requests import person_of, tenant_of


@extend_schema_view(
    list=extend_schema(
        summary="List rubrics, newest first", responses={200: RubricSerializer(many=True)}, examples=[A_RUBRIC]
    ),
    retrieve=extend_schema(
        summary="Get a rubric", responses={200: RubricSerializer, 404: MISSING}, examples=[A_RUBRIC]
    ),
)
class RubricViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Rubric]):
    """What answers are graded by: criteria with scales, anchors and weights."""

    reads = Action.EVALUATIONS_VIEW
    writes = Action.RUBRICS_EDIT
    serializer_class = RubricSerializer
    filterset_fields = ("name",)

    def get_queryset(self) -> QuerySet[Rubric]:
        return rubrics()

    @extend_schema(
        summary="Add a rubric",
        request=RubricBodySerializer,
        responses={201: RubricSerializer, 400: WRONG, 409: TAKEN},
        examples=[NEW_JSON, NEW_YAML, A_RUBRIC],
    )
    def create(self, request: Request) -> Response:
        rubric = create_rubric(tenant=tenant_of(request), document=_document(request), created_by=person_of(request))
        return Response(self._shown(rubric), status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Make a new version of a rubric",
        description="The whole rubric is sent. Where only the name differs, no version is made.",
        request=RubricBodySerializer,
        responses={200: RubricSerializer, 400: WRONG, 404: MISSING, 409: TAKEN},
        examples=[NEW_JSON, NEW_YAML, A_RUBRIC],
    )
    def update(self, request: Request, pk: str) -> Response:
        rubric = self.get_object()
        changed = change_rubric(rubric=rubric, document=_document(request), changed_by=person_of(request))
        return Response(self._shown(changed))

    @extend_schema(summary="Delete a rubric with its versions", responses={204: None, 404: MISSING, 409: IN_USE})
    def destroy(self, request: Request, pk: str) -> Response:
        delete_rubric(rubric=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Preview a rubric’s prompts",
        description="The exact prompt of each criterion on a row, or on five rows of a dataset version. Nothing is "
        "asked and nothing is stored.",
        request=RowSerializer,
        responses={200: PromptSerializer(many=True), 400: INVALID, 404: MISSING},
        examples=[A_ROW, ROWS_OF_A_VERSION, A_PROMPT],
        filters=False,
    )
    @action(detail=True, methods=["post"], pagination_class=None)
    def preview(self, request: Request, pk: str) -> Response:
        document = document_of(self.get_object())
        body = RowSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        if "dataset_version" in body.validated_data:
            rows = prompts_on_rows(document, _dataset_version(body.validated_data["dataset_version"]))
        else:
            rows = [RowPrompts(number=None, prompts=prompts(document, **body.row()))]
        found = [
            {
                "row": row.number,
                "criterion": name,
                "system": one.system,
                "user": one.user,
                "sha256": one.sha256,
                "cut": one.cut,
            }
            for row in rows
            for name, one in row.prompts
        ]
        return Response(PromptSerializer(found, many=True).data)

    def _shown(self, rubric: Rubric) -> Any:
        return self.get_serializer(self.get_queryset().get(id=rubric.id)).data


def _document(request: Request) -> RubricDocument:
    body = RubricBodySerializer(data=request.data)
    body.is_valid(raise_exception=True)
    values = body.validated_data
    return from_yaml(values["yaml"]) if "yaml" in values else parsed(values["document"])


def _dataset_version(version_id: UUID) -> DatasetVersion:
    found: DatasetVersion | None = DatasetVersion.objects.filter(id=version_id).first()
    if found is None:
        raise NotFound("Dataset version not found.", field="dataset_version")
    return found
