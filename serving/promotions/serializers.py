"""REST: routes and promotions."""

from typing import Any

from rest_framework import serializers

from jobs.serializers import JobSerializer
from serving.models import Promotion, Route
from serving.trials.serializers import ComparedBySerializer, TrialPlanSerializer


class RouteSerializer(serializers.ModelSerializer[Route]):
    """An alias with its live `version` and `previous_version` (null: none)."""

    version = serializers.UUIDField(source="active.version_id", allow_null=True, default=None)
    previous_version = serializers.UUIDField(source="previous.version_id", allow_null=True, default=None)

    class Meta:
        model = Route
        fields = ("id", "alias", "adapter", "version", "previous_version", "switched_at", "created_at")


class PromotionSerializer(serializers.ModelSerializer[Promotion]):
    """A promotion or rollback; `job` is null for a rollback that switched immediately."""

    state = serializers.SerializerMethodField(help_text="State of its job; `succeeded` if it switched immediately.")
    job = JobSerializer(read_only=True, allow_null=True)

    class Meta:
        model = Promotion
        fields = (
            "id",
            "version",
            "is_rollback",
            "job",
            "state",
            "deployment",
            "fingerprint",
            "not_before",
            "created_at",
        )

    def get_state(self, promotion: Promotion) -> str:
        return str(promotion.job.state) if promotion.job else "succeeded"


class NewPromotionSerializer(serializers.Serializer[Any]):
    """The version to promote, now or at a time."""

    version = serializers.UUIDField(help_text="ID of an evaluated adapter version.")
    canary = TrialPlanSerializer(
        required=False,
        allow_null=True,
        default=None,
        help_text="Let it answer a share of callers first, and everyone only if they fare no worse.",
    )
    compared_by = ComparedBySerializer(
        required=False, allow_null=True, default=None, help_text="Needs a `canary` with `copies`."
    )
    not_before = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="At most 30 days ahead; omitted: now."
    )
