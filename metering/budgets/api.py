"""REST: budgets."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from metering.budgets.examples import A_BUDGET, NEW, RAISED, TOLD
from metering.budgets.names import subject_of
from metering.budgets.queries import budgets, standing_of, standings
from metering.budgets.recipients import members_at
from metering.budgets.serializers import BudgetChangeSerializer, BudgetSerializer, NewBudgetSerializer
from metering.budgets.services import change_budget, delete_budget, set_budget
from metering.models import Budget
from rest.views import INVALID, MISSING
from tenants.permissions import Action
from tenants.requests import person_of, tenant_of

EXISTS = OpenApiResponse(OpenApiTypes.OBJECT, "`budget:exists`: change the one there is (problem+json).")


@extend_schema_view(
    list=extend_schema(
        summary="List budgets, with what was spent of them this month",
        responses={200: BudgetSerializer(many=True)},
        examples=[A_BUDGET],
    ),
    retrieve=extend_schema(
        summary="Get a budget", responses={200: BudgetSerializer, 404: MISSING}, examples=[A_BUDGET]
    ),
)
class BudgetViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Budget]):
    """What you want to spend at most in a month."""

    reads = Action.USAGE_VIEW
    writes = Action.BUDGETS_MANAGE
    serializer_class = BudgetSerializer
    filterset_fields = ("scope",)

    def get_queryset(self) -> QuerySet[Budget]:
        return budgets()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response(BudgetSerializer(standings(page), many=True).data)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(BudgetSerializer(standing_of(self.get_object())).data)

    @extend_schema(
        summary="Set a budget",
        description="It starts with what the month has cost so far.",
        request=NewBudgetSerializer,
        responses={201: BudgetSerializer, 400: INVALID, 404: MISSING, 409: EXISTS},
        examples=[NEW, A_BUDGET],
    )
    def create(self, request: Request) -> Response:
        body = NewBudgetSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = _values(body)
        subject = subject_of(adapter=values.pop("adapter", None), key=values.pop("key", None))
        made = set_budget(tenant=tenant_of(request), subject=subject, set_by=person_of(request), **values)
        return Response(BudgetSerializer(standing_of(made)).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Change a budget",
        description="What was used stays.",
        request=BudgetChangeSerializer,
        responses={200: BudgetSerializer, 400: INVALID, 404: MISSING},
        examples=[RAISED, TOLD, A_BUDGET],
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        budget = self.get_object()
        body = BudgetChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        changed = change_budget(budget=budget, set_by=person_of(request), **_values(body))
        return Response(BudgetSerializer(standing_of(changed)).data)

    @extend_schema(summary="Delete a budget and end its alerts", responses={204: None, 404: MISSING})
    def destroy(self, request: Request, pk: str) -> Response:
        delete_budget(budget=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)


def _values(body: BudgetChangeSerializer) -> dict[str, Any]:
    values = dict(body.validated_data)
    if "recipients" in values:
        values["recipients"] = members_at(values["recipients"])
    return values
