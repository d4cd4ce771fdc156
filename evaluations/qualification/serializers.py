"""REST serializers of qualifications."""

from typing import Any

from rest_framework import serializers

from evaluations.models import Qualification
from evaluations.qualification.figures import Figures
from evaluations.qualification.words import bars_of


class BarSerializer(serializers.Serializer[Any]):
    """One question about a judge, its figure with a 95% interval, and what it means."""

    name = serializers.CharField(
        source="question.name", help_text="`accuracy`, `fooled`, `lift`, `length`, `flips` or `same`."
    )
    title = serializers.CharField(source="question.title")
    value = serializers.FloatField(
        source="figure.value",
        allow_null=True,
        default=None,
        help_text="A share, 0 to 1; of `lift` and `length` a difference of grades, -4 to 4.",
    )
    low = serializers.FloatField(source="figure.low", allow_null=True, default=None)
    high = serializers.FloatField(source="figure.high", allow_null=True, default=None)
    n = serializers.IntegerField(source="figure.n", allow_null=True, default=None, help_text="Number of values.")
    word = serializers.CharField(help_text="`good`, `look out`, `bad` or `can’t tell`.")
    sentence = serializers.CharField()


class QualificationSerializer(serializers.ModelSerializer[Qualification]):
    """A test of a judge. `bars`, `figures` and `examples` are there once it has ended."""

    bars = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField(help_text="Why it failed, in words; empty otherwise.")

    class Meta:
        model = Qualification
        fields = (
            "id",
            "judge_version",
            "fingerprint",
            "job",
            "state",
            "bars",
            "figures",
            "examples",
            "cost",
            "error",
            "created_at",
        )
        read_only_fields = fields

    def get_bars(self, found: Qualification) -> list[dict[str, Any]]:
        return list(BarSerializer(bars_of(Figures.from_dict(found.figures)), many=True).data) if found.ended else []

    def get_error(self, found: Qualification) -> str:
        text: str = found.job.error_text
        return text
