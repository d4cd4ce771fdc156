"""REST: budgets."""

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from metering.budgets.queries import budget_by_id, budgets, counted
from metering.budgets.serializers import AmountSerializer, BudgetSerializer, NewBudgetSerializer
from metering.budgets.services import change_budget, create_budget, delete_budget
from metering.models import Budget
from rest.views import INVALID, MISSING
from tenants.permissions import Action
from tenants.requests import person_of, tenant_of

BODY = {"by": "model", "value": "clause-summary", "usd": "200"}
NEW = OpenApiExample("200 dollars for a model", request_only=True, value=BODY)
AMOUNT = OpenApiExample("300 dollars", request_only=True, value={"usd": "300"})
TAKEN = OpenApiResponse(OpenApiTypes.OBJECT, "There is one for this already, or too many (problem+json).")


class BudgetViewSet(viewsets.GenericViewSet[Budget]):
    """What may be spent in a calendar month, and what is. At most 50."""

    reads = Action.USAGE_VIEW
    writes = Action.BUDGETS_MANAGE
    serializer_class = BudgetSerializer
    pagination_class = None
    filter_backends = ()

    def get_queryset(self) -> QuerySet[Budget]:
        return budgets()

    @extend_schema(summary="Your budgets with what is spent of them", responses={200: BudgetSerializer(many=True)})
    def list(self, request: Request) -> Response:
        return Response(BudgetSerializer([counted(one) for one in budgets()], many=True).data)

    @extend_schema(summary="One budget", responses={200: BudgetSerializer, 404: MISSING})
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(BudgetSerializer(counted(self.get_object())).data)

    @extend_schema(
        summary="Add a budget",
        request=NewBudgetSerializer,
        examples=[NEW],
        responses={201: BudgetSerializer, 400: INVALID, 409: TAKEN},
    )
    def create(self, request: Request) -> Response:
        body = NewBudgetSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        made = create_budget(tenant=tenant_of(request), created_by=person_of(request), **body.validated_data)
        return Response(BudgetSerializer(counted(budget_by_id(made.id))).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Change the amount",
        request=AmountSerializer,
        examples=[AMOUNT],
        responses={200: BudgetSerializer, 400: INVALID, 404: MISSING},
    )
    def update(self, request: Request, pk: str) -> Response:
        found = self.get_object()
        body = AmountSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        change_budget(budget=found, **body.validated_data)
        return Response(BudgetSerializer(counted(budget_by_id(found.id))).data)

    @extend_schema(summary="Delete a budget", responses={204: None, 404: MISSING})
    def destroy(self, request: Request, pk: str) -> Response:
        delete_budget(budget=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)


router = SimpleRouter()
router.register("budgets", BudgetViewSet, basename="budget")
