"""REST endpoints of judges."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from evaluations.judges.examples import A_JUDGE, A_TRIAL, NEW_BEDROCK, NEW_OPENAI, TAKEN, WARMER
from evaluations.judges.serializers import JudgeChangeSerializer, JudgeSerializer, NewJudgeSerializer, TrialSerializer
from evaluations.judges.services import change_judge, create_judge, delete_judge, try_judge
from evaluations.models import Judge
from rest.views import INVALID, MISSING, OutsideTransactions
from tenants.permissions import Action
from tenants.requests import person_of, tenant_of


@extend_schema_view(
    list=extend_schema(
        summary="List judges, newest first", responses={200: JudgeSerializer(many=True)}, examples=[A_JUDGE]
    ),
    retrieve=extend_schema(summary="Get a judge", responses={200: JudgeSerializer, 404: MISSING}, examples=[A_JUDGE]),
)
class JudgeViewSet(
    OutsideTransactions, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Judge]
):
    """Language models that grade answers."""

    reads = Action.JUDGES_MANAGE
    writes = Action.JUDGES_MANAGE
    # A trial waits for a model, so no request may hold a transaction open: OutsideTransactions.
    serializer_class = JudgeSerializer
    filterset_fields = ("name", "kind")

    def get_queryset(self) -> QuerySet[Judge]:
        return Judge.objects.all()

    @extend_schema(
        summary="Add a judge",
        request=NewJudgeSerializer,
        responses={201: JudgeSerializer, 400: INVALID, 409: TAKEN},
        examples=[NEW_OPENAI, NEW_BEDROCK, A_JUDGE],
    )
    def create(self, request: Request) -> Response:
        body = NewJudgeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        judge = create_judge(tenant=tenant_of(request), created_by=person_of(request), **body.validated_data)
        return Response(self.get_serializer(judge).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Change a judge",
        description="A change of what the judge computes raises its `version`.",
        request=JudgeChangeSerializer,
        responses={200: JudgeSerializer, 400: INVALID, 404: MISSING, 409: TAKEN},
        examples=[WARMER, A_JUDGE],
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        judge = self.get_object()
        body = JudgeChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(self.get_serializer(change_judge(judge=judge, **body.validated_data)).data)

    @extend_schema(summary="Delete a judge and its secret", responses={204: None, 404: MISSING})
    def destroy(self, request: Request, pk: str) -> Response:
        delete_judge(judge=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Try a judge on a built-in example",
        description="Asks the model once, which its provider may charge. A judge that gives no verdict is reported in "
        "`error_kind`, with status 200.",
        request=None,
        responses={200: TrialSerializer, 404: MISSING},
        examples=[A_TRIAL],
    )
    @action(detail=True, methods=["post"], url_path="try", url_name="try")
    def trial(self, request: Request, pk: str) -> Response:
        return Response(TrialSerializer(try_judge(judge=self.get_object())).data)
