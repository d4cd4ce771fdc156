"""REST: trials."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from jobs.serializers import JobSerializer
from serving.models import Trial
from serving.trials.figures import Figures, figures_of
from serving.trials.services import LEAST_PERCENT, LONGEST, MOST_PERCENT, TrialPlan


class TrialArmSerializer(serializers.Serializer[Any]):
    """One version's side. Of `callers` the windows have ended; `requests` are all that counted so far."""

    requests = serializers.IntegerField()
    callers = serializers.IntegerField()
    callers_with_errors = serializers.IntegerField(source="with_errors")
    answered = serializers.IntegerField()
    slow = serializers.IntegerField()


class TrialFiguresSerializer(serializers.Serializer[Any]):
    """Evidence from 20 on decides; null where nothing counts as slow."""

    live = TrialArmSerializer()
    candidate = TrialArmSerializer()
    evidence_of_errors = serializers.FloatField(source="errors")
    evidence_of_slowness = serializers.FloatField(source="slowness", allow_null=True)
    difference = serializers.ListField(
        child=serializers.FloatField(),
        allow_null=True,
        help_text="95 % interval of the share of callers with errors, candidate minus live.",
    )


class VersionTrialSerializer(serializers.ModelSerializer[Trial]):
    """A version that answers a share of callers beside the live one. Stop it by stopping its job."""

    version = serializers.UUIDField(source="candidate.version_id", help_text="The version on trial.")
    live_version = serializers.UUIDField(source="live.version_id")
    is_canary = serializers.SerializerMethodField(help_text="Whether it is part of a promotion.")
    percent = serializers.SerializerMethodField(help_text="Of callers whom the version on trial answers.")
    figures = serializers.SerializerMethodField()
    job = JobSerializer(read_only=True)

    class Meta:
        model = Trial
        fields = (
            "id",
            "adapter",
            "version",
            "live_version",
            "is_canary",
            "percent",
            "slow_ms",
            "state",
            "figures",
            "job",
            "created_at",
            "ends_at",
            "ended_at",
        )

    def get_is_canary(self, trial: Trial) -> bool:
        return trial.is_canary

    def get_percent(self, trial: Trial) -> int:
        return trial.percent

    @extend_schema_field(TrialFiguresSerializer)
    def get_figures(self, trial: Trial) -> Any:
        figures: Figures = figures_of(trial)
        return TrialFiguresSerializer(figures).data


class TrialPlanSerializer(serializers.Serializer[Any]):
    """The percentage of callers, and how long."""

    percent = serializers.IntegerField(min_value=LEAST_PERCENT, max_value=MOST_PERCENT)
    minutes = serializers.IntegerField(min_value=1, max_value=LONGEST.days * 24 * 60)

    def to_internal_value(self, data: Any) -> Any:
        return TrialPlan(**super().to_internal_value(data))


class NewTrialSerializer(serializers.Serializer[Any]):
    """The version to try beside the live one."""

    version = serializers.UUIDField(help_text="ID of an evaluated adapter version.")
    plan = TrialPlanSerializer()
