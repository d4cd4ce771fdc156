"""REST: decisions, policies, and the key that evidence packs are signed with."""

from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from adapters.models import Adapter
from adapters.versions.queries import version_named
from evaluations.gates.examples import CLOSED, NOT_OPENED, OPEN, POLICY, REASON
from evaluations.gates.packs.download import pack_response
from evaluations.gates.policies import from_yaml, newest_policy, read_policy
from evaluations.gates.queries import decision_named, decisions
from evaluations.gates.serializers import (
    CommentSerializer,
    DecisionDetailSerializer,
    DecisionSerializer,
    NewDecisionSerializer,
    NewPolicySerializer,
    PolicySerializer,
    ReasonSerializer,
    RoundSerializer,
)
from evaluations.gates.services import (
    approve,
    attach_round,
    open_decision,
    override,
    reject,
    set_policy,
    withdraw_approval,
)
from evaluations.models import Decision, EvaluationRun, EvaluationState, GatePolicy, ReviewRound
from lorakit.verify.signing import public_text
from rest.errors import NotFound
from rest.views import INVALID, MISSING, AsItIs, OutsideTransactions, ReadOnly
from tenants.errors import PermissionMissing
from tenants.models import Membership, User
from tenants.permissions import Action
from tenants.requests import person_of, tenant_of
from tenants.signing import signing_key


@extend_schema_view(
    list=extend_schema(summary="List decisions, newest first", responses={200: DecisionSerializer(many=True)}),
    retrieve=extend_schema(
        summary="Get a decision with its verdict", responses={200: DecisionDetailSerializer, 404: MISSING}
    ),
)
class DecisionViewSet(OutsideTransactions, ReadOnly):
    """Whether a version may be promoted: conditions, verdict, approvals, and the evidence pack."""

    reads = Action.EVALUATIONS_VIEW
    writes = Action.VERSIONS_PROMOTE
    needs = MappingProxyType(
        {
            "approve": Action.DECISIONS_APPROVE,
            "reject": Action.DECISIONS_APPROVE,
            "override": Action.GATES_MANAGE,
        }
    )
    serializer_class = DecisionSerializer
    filterset_fields = ("version", "state")

    def get_queryset(self) -> QuerySet[Decision]:
        return decisions()

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self._shown(self.get_object())

    @extend_schema(
        summary="Open a decision about a version",
        description="Fixes the evaluation, the policy, and the live version to compare with.",
        request=NewDecisionSerializer,
        examples=[OPEN],
        responses={201: DecisionDetailSerializer, 400: INVALID, 404: MISSING, 409: NOT_OPENED},
    )
    def create(self, request: Request) -> Response:
        wanted = NewDecisionSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        values = wanted.validated_data
        decision = open_decision(
            tenant=tenant_of(request),
            version=version_named(values["version"]),
            run=_run(values["evaluation"]),
            found_round=_round(values["round"]) if values["round"] else None,
            leaves_out_leaks=values["leaves_out_leaks"],
            opened_by=person_of(request),
        )
        return self._shown(decision, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Let a decision rest on a review round",
        description="Once; fixed with it are the experts’ threshold, the number of the attempt and the judge’s weight.",
        request=RoundSerializer,
        responses={200: DecisionDetailSerializer, 400: INVALID, 404: MISSING, 409: CLOSED},
    )
    @action(detail=True, methods=["post"])
    def round(self, request: Request, pk: str) -> Response:
        decision = self.get_object()
        given = RoundSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        attach_round(decision=decision, found=_round(given.validated_data["round"]))
        return self._shown(decision)

    @extend_schema(
        summary="Approve of the version, or take your approval back",
        request=CommentSerializer,
        responses={200: DecisionDetailSerializer, 404: MISSING, 409: CLOSED},
    )
    @action(detail=True, methods=["post", "delete"])
    def approve(self, request: Request, pk: str) -> Response:
        given = CommentSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        decision, person = self.get_object(), _person(request, Action.DECISIONS_APPROVE)
        if request.method == "DELETE":
            withdraw_approval(decision=decision, person=person)
        else:
            approve(decision=decision, person=person, comment=given.validated_data["comment"])
        return self._shown(decision)

    @extend_schema(
        summary="Reject the version",
        request=ReasonSerializer,
        examples=[REASON],
        responses={200: DecisionDetailSerializer, 400: INVALID, 404: MISSING, 409: CLOSED},
    )
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: str) -> Response:
        decision, person = self.get_object(), _person(request, Action.DECISIONS_APPROVE)
        reject(decision=decision, reason=_reason(request), closed_by=person)
        return self._shown(decision)

    @extend_schema(
        summary="Override the verdict",
        description="Clears the version for promotion. Owners only, where the policy allows it; the reason is audited.",
        request=ReasonSerializer,
        examples=[REASON],
        responses={200: DecisionDetailSerializer, 400: INVALID, 404: MISSING, 409: CLOSED},
    )
    @action(detail=True, methods=["post"])
    def override(self, request: Request, pk: str) -> Response:
        decision, person = self.get_object(), _person(request, Action.GATES_MANAGE)
        override(decision=decision, reason=_reason(request), closed_by=person)
        return self._shown(decision)

    @extend_schema(
        summary="Download the evidence pack",
        responses={(200, "application/zip"): OpenApiTypes.BINARY, 404: MISSING},
        filters=False,
    )
    @action(detail=True, content_negotiation_class=AsItIs, pagination_class=None)
    def pack(self, request: Request, pk: str) -> FileResponse:
        return pack_response(self.get_object())

    def _shown(self, decision: Decision, code: int = status.HTTP_200_OK) -> Response:
        return Response(DecisionDetailSerializer(decision_named(decision.id)).data, status=code)


@extend_schema_view(
    list=extend_schema(summary="List policies of adapters, newest first"),
    retrieve=extend_schema(summary="Get a policy", responses={200: PolicySerializer, 404: MISSING}),
)
class GatePolicyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[GatePolicy]):
    """What an adapter's versions need before they are promoted. The newest counts; without one, the default."""

    reads = Action.EVALUATIONS_VIEW
    writes = Action.GATES_MANAGE
    serializer_class = PolicySerializer
    filterset_fields = ("adapter",)

    def get_queryset(self) -> QuerySet[GatePolicy]:
        return GatePolicy.objects.order_by("-created_at")

    @extend_schema(
        summary="Set the policy of an adapter",
        description="Counts for decisions that are opened from then on.",
        request=NewPolicySerializer,
        examples=[POLICY],
        responses={201: PolicySerializer, 400: INVALID, 404: MISSING},
    )
    def create(self, request: Request) -> Response:
        wanted = NewPolicySerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        values = wanted.validated_data
        adapter = Adapter.objects.filter(id=values["adapter"]).first()
        if adapter is None:
            raise NotFound("Adapter not found.", field="adapter")
        person = _person(request, Action.GATES_MANAGE)
        policy = from_yaml(values["yaml"]) if "yaml" in values else read_policy(values["document"])
        set_policy(tenant=tenant_of(request), adapter=adapter, policy=policy, set_by=person)
        made = newest_policy(adapter)
        return Response(PolicySerializer(made).data if made else {}, status=status.HTTP_201_CREATED)


class SigningKeySerializer(serializers.Serializer[Any]):
    algorithm = serializers.CharField()
    key = serializers.CharField(help_text="The 32 bytes of the public key, in base64.")


class SigningKeyView(APIView):
    """The public key that evidence packs and receipts are signed with."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(summary="Get the site’s public key", responses={200: SigningKeySerializer}, auth=[])
    def get(self, request: Request) -> Response:
        return Response({"algorithm": "Ed25519", "key": public_text(signing_key())})


def _reason(request: Request) -> str:
    given = ReasonSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    reason: str = given.validated_data["reason"]
    return reason


def _run(run_id: UUID | None) -> EvaluationRun | None:
    if run_id is None:
        return None
    runs = EvaluationRun.objects.filter(id=run_id, state=EvaluationState.READY)
    found: EvaluationRun | None = runs.select_related("version__adapter", "dataset_version").first()
    if found is None:
        raise NotFound("Evaluation not found, or it has not finished.", field="evaluation")
    return found


def _round(round_id: UUID) -> ReviewRound:
    found: ReviewRound | None = ReviewRound.objects.filter(id=round_id).select_related("candidate").first()
    if found is None:
        raise NotFound("Review round not found.", field="round")
    return found


def _person(request: Request, action: Action) -> User:
    """Who decides: a key acts for the person who created it, with that person's role. Raises PermissionMissing."""
    person = person_of(request)
    membership = Membership.objects.filter(user=person).first() if person is not None else None
    if person is None or membership is None or not membership.may(action):
        raise PermissionMissing(
            "Only people whose role includes it may do this. Sign in, or use an API key that such a person created.",
            code="decision:needs_a_person",
        )
    return person
