"""REST: judgings of an evaluation."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from evaluations.models import Judging
from evaluations.runs.judgings.services import MOST_JUDGES
from jobs.serializers import JobSerializer


class JudgingDetailSerializer(serializers.ModelSerializer[Judging]):
    """`summary` is by slice; `usage` and `why` are filled once it is over. `why` says why it is incomplete."""

    evaluation = serializers.UUIDField(source="run_id")
    judges = serializers.ListField(child=serializers.DictField())
    rubric = serializers.SerializerMethodField(help_text="Name and version, null where only correctness was graded.")
    is_llm = serializers.BooleanField()
    summary = serializers.DictField()
    usage = serializers.DictField()
    job = JobSerializer(allow_null=True)

    class Meta:
        model = Judging
        fields = (
            "id",
            "evaluation",
            "state",
            "judges",
            "rubric",
            "is_pairwise",
            "is_llm",
            "summary",
            "usage",
            "why",
            "job",
            "created_at",
        )

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_rubric(self, judging: Judging) -> str | None:
        return str(judging.rubric_version) if judging.rubric_version else None


class NewJudgingSerializer(serializers.Serializer[dict[str, Any]]):
    evaluation = serializers.UUIDField(help_text="A ready evaluation.")
    judges = serializers.ListField(
        child=serializers.CharField(max_length=100),
        min_length=1,
        max_length=MOST_JUDGES,
        help_text="Ids of judges, or `shared:NAME` for one that the site offers. Several are a jury.",
    )
    rubric = serializers.UUIDField(
        default=None, allow_null=True, help_text="Its newest version is used. Without one, correctness is graded."
    )
    is_pairwise = serializers.BooleanField(
        default=False,
        help_text="Also compare the evaluation’s own model with each other one, in both orders.",
    )


class RangeSerializer(serializers.Serializer[Any]):
    low = serializers.IntegerField()
    high = serializers.IntegerField()


class JudgeEstimateSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    questions = serializers.IntegerField(source="estimate.questions")
    cached = serializers.IntegerField(source="estimate.cached", help_text="Questions with a verdict, at no cost.")
    calls = RangeSerializer(source="estimate.calls")
    tokens_in = RangeSerializer(source="estimate.tokens_in")
    tokens_out = RangeSerializer(source="estimate.tokens_out")


class JudgingEstimateSerializer(serializers.Serializer[Any]):
    """Estimated from the length of texts; failed calls that are made again come on top."""

    judges = JudgeEstimateSerializer(many=True)
    is_sample = serializers.BooleanField(help_text="Whether only some rows were looked at, and figures are scaled up.")
    calls = RangeSerializer()
    cached = serializers.IntegerField()
    usd = serializers.SerializerMethodField(help_text="{low, high} in US dollars, null if a judge has no price.")

    @extend_schema_field(serializers.DictField(allow_null=True))
    def get_usd(self, found: Any) -> dict[str, float] | None:
        return None if found.usd is None else {"low": float(found.usd[0]), "high": float(found.usd[1])}
