"""REST: trials."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from evaluations.runs.judgings.services import MOST_JUDGES
from jobs.serializers import JobSerializer
from serving.models import Trial, TrialCopy
from serving.trials.figures import Figures, figures_of
from serving.trials.services import LONGEST, MOST_COPIES, MOST_PERCENT, TrialPlan


class TrialArmSerializer(serializers.Serializer[Any]):
    """One version's side. Of `callers` the windows have ended; `requests` are all that counted so far."""

    requests = serializers.IntegerField()
    callers = serializers.IntegerField()
    callers_with_errors = serializers.IntegerField(source="with_errors")
    answered = serializers.IntegerField()
    slow = serializers.IntegerField()


class QualitySerializer(serializers.Serializer[Any]):
    """Which version's answers judges find better. Wins are the candidate's."""

    pairs = serializers.IntegerField()
    judged = serializers.IntegerField()
    wins = serializers.IntegerField()
    ties = serializers.IntegerField()
    losses = serializers.IntegerField()
    low = serializers.FloatField(allow_null=True, help_text="95% interval of the win rate; a tie is half a win.")
    high = serializers.FloatField(allow_null=True)
    evidence_of_worse_answers = serializers.FloatField(source="evidence")


class TrialFiguresSerializer(serializers.Serializer[Any]):
    """Evidence from 20 on decides; null where nothing counts as slow."""

    live = TrialArmSerializer()
    candidate = TrialArmSerializer()
    evidence_of_errors = serializers.FloatField(source="errors")
    evidence_of_slowness = serializers.FloatField(source="slowness", allow_null=True)
    quality = QualitySerializer(allow_null=True)
    difference = serializers.ListField(
        child=serializers.FloatField(),
        allow_null=True,
        help_text="95% interval of the share of callers with errors, candidate minus live.",
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
    """The percentage of callers, how long, and how many requests both versions answer. 0% is a shadow."""

    percent = serializers.IntegerField(min_value=0, max_value=MOST_PERCENT)
    minutes = serializers.IntegerField(min_value=1, max_value=LONGEST.days * 24 * 60)
    copies = serializers.IntegerField(min_value=0, max_value=MOST_COPIES, default=0)

    def to_internal_value(self, data: Any) -> Any:
        return TrialPlan(**super().to_internal_value(data))


class ComparedBySerializer(serializers.Serializer[Any]):
    """Who compares answers of both versions, in both orders."""

    judges = serializers.ListField(
        child=serializers.CharField(max_length=100),
        min_length=1,
        max_length=MOST_JUDGES,
        help_text="Ids of judges, or `shared:NAME` for one that the site offers. Several are a jury.",
    )
    rubric = serializers.UUIDField(
        default=None, allow_null=True, help_text="Its newest version is used. Without one: which answer is better."
    )


class NewTrialSerializer(serializers.Serializer[Any]):
    """The version to try beside the live one."""

    version = serializers.UUIDField(help_text="ID of an adapter version; evaluated, unless it is a shadow.")
    plan = TrialPlanSerializer()
    compared_by = ComparedBySerializer(
        required=False, allow_null=True, default=None, help_text="Needs `copies` in the plan."
    )


class TrialCopySerializer(serializers.ModelSerializer[TrialCopy]):
    """A request that both versions answered. The caller saw one of the answers, in a shadow the live one."""

    class Meta:
        model = TrialCopy
        fields = ("id", "trial", "messages", "live_text", "candidate_text", "error_code", "created_at")
