"""REST serializers of decisions and policies."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from evaluations.gates.services import MAX_REASON
from evaluations.gates.verdicts import verdict_of
from evaluations.models import Approval, Decision, GatePolicy


class ApprovalSerializer(serializers.ModelSerializer[Approval]):
    person = serializers.CharField(source="person.email")

    class Meta:
        model = Approval
        fields = ("person", "comment", "created_at")


class OutlookSerializer(serializers.Serializer[Any]):
    """Reviews still to come: median and 10–90% range, null beyond the cap; probabilities; hours and US dollars."""

    early = serializers.IntegerField(allow_null=True)
    median = serializers.IntegerField(allow_null=True)
    late = serializers.IntegerField(allow_null=True)
    promote = serializers.FloatField()
    decline = serializers.FloatField()
    neither = serializers.FloatField()
    hours = serializers.FloatField(allow_null=True)
    hopeless = serializers.BooleanField(help_text="Whether stopping is advised.")


class OutcomeSerializer(serializers.Serializer[Any]):
    """One condition. `state` is `passes`, `fails`, `undecided` or `not applicable`."""

    state = serializers.CharField()
    title = serializers.CharField()
    shown = serializers.CharField()
    needs = serializers.CharField()
    why = serializers.CharField()
    number = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    limit = serializers.FloatField(allow_null=True)
    evidence = serializers.CharField()
    detail = serializers.DictField()
    outlook = OutlookSerializer(allow_null=True)


class VerdictSerializer(serializers.Serializer[Any]):
    state = serializers.CharField()
    outcomes = OutcomeSerializer(many=True)
    evidence_sha256 = serializers.CharField()


class DecisionSerializer(serializers.ModelSerializer[Decision]):
    """A decision, without its verdict. `policy` is null for the default."""

    evaluation = serializers.UUIDField(source="run_id")
    policy = serializers.IntegerField(source="policy.number", default=None, allow_null=True)
    approvals = ApprovalSerializer(many=True)
    closed_by = serializers.CharField(source="closed_by.email", default=None, allow_null=True)

    class Meta:
        model = Decision
        fields = [
            "id",
            "version",
            "number",
            "against",
            "evaluation",
            "round",
            "policy",
            "leaves_out_leaks",
            "attempt",
            "is_automatic",
            "state",
            "reason",
            "approvals",
            "created_at",
            "closed_at",
            "closed_by",
        ]


class DecisionDetailSerializer(DecisionSerializer):
    """A decision with its verdict: as it is now, or as it was when the decision was closed."""

    verdict = serializers.SerializerMethodField()

    class Meta(DecisionSerializer.Meta):
        fields = [*DecisionSerializer.Meta.fields, "verdict"]

    @extend_schema_field(VerdictSerializer)
    def get_verdict(self, decision: Decision) -> dict[str, Any]:
        return verdict_of(decision).to_dict()


class NewDecisionSerializer(serializers.Serializer[Any]):
    version = serializers.UUIDField(help_text="An evaluated adapter version.")
    evaluation = serializers.UUIDField(default=None, allow_null=True, help_text="By default the newest.")
    round = serializers.UUIDField(
        default=None, allow_null=True, help_text="By default the evaluation’s newest, if the policy asks experts."
    )
    leaves_out_leaks = serializers.BooleanField(
        default=True, help_text="Whether test rows that are much like training rows are left out."
    )


class RoundSerializer(serializers.Serializer[Any]):
    round = serializers.UUIDField(help_text="A review round of the decision’s evaluation.")


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=MAX_REASON)


class CommentSerializer(serializers.Serializer[Any]):
    comment = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class PolicySerializer(serializers.ModelSerializer[GatePolicy]):
    """A policy of an adapter as it was from `created_at` on."""

    class Meta:
        model = GatePolicy
        fields = ("id", "adapter", "number", "document", "sha256", "created_at")


class NewPolicySerializer(serializers.Serializer[Any]):
    """A policy as an object, or as YAML text."""

    adapter = serializers.UUIDField()
    document = serializers.DictField(required=False)
    yaml = serializers.CharField(required=False, trim_whitespace=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("document" in attrs) == ("yaml" in attrs):
            raise serializers.ValidationError("Send the policy as “document” or as “yaml”.")
        return attrs
