"""REST serializers of alignments."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from evaluations.alignment.measured import Figures
from evaluations.alignment.queries import report_of
from evaluations.models import Alignment, AlignmentExample
from jobs.serializers import JobSerializer


class NewAlignmentSerializer(serializers.Serializer[dict[str, Any]]):
    judge = serializers.UUIDField(help_text="One of your judges. Judges that the site offers cannot be aligned.")
    rubric_version = serializers.UUIDField(
        default=None, allow_null=True, help_text="By which experts and judge graded; null for correctness alone."
    )


class AlignmentExampleSerializer(serializers.ModelSerializer[AlignmentExample]):
    """An answer that the judge is shown: the experts' grade and the judge's own before, on the criterion's scale."""

    answer = serializers.UUIDField(source="answer_id", help_text="Of an evaluation’s row.")

    class Meta:
        model = AlignmentExample
        fields = ("criterion", "answer", "grade", "score", "comment")


class AlignmentSerializer(serializers.ModelSerializer[Alignment]):
    """A version of a judge with few-shot examples. `figures` has both versions against experts once it is measured.

    `figures.nearer` is how much nearer to experts the new version is, in grades, with its 95% interval.
    """

    judge = serializers.UUIDField(source="judge_id")
    rubric = serializers.SerializerMethodField(help_text="Name and version, null where only correctness is graded.")
    examples = AlignmentExampleSerializer(many=True)
    figures = serializers.DictField(help_text="`asked`, `answers`, `prompts`, `before`, `after` and `nearer`.")
    verdict = serializers.SerializerMethodField(
        help_text="`better`, `worse`, `unclear` or `incomplete`; null before it is measured."
    )
    sentence = serializers.SerializerMethodField(help_text="The same in a sentence.")
    outdated = serializers.SerializerMethodField(help_text="Why it no longer counts, empty otherwise.")
    cost = serializers.DictField(help_text="`calls`, `tokens_in`, `tokens_out`, `usd`; null where not known.")
    job = JobSerializer()

    class Meta:
        model = Alignment
        fields = (
            "id",
            "judge",
            "judge_version",
            "fingerprint",
            "rubric",
            "rubric_version",
            "state",
            "labels",
            "examples",
            "figures",
            "verdict",
            "sentence",
            "outdated",
            "cost",
            "job",
            "decided_at",
            "created_at",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_rubric(self, found: Alignment) -> str | None:
        return str(found.rubric_version) if found.rubric_version else None

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_verdict(self, found: Alignment) -> str | None:
        return Figures.from_dict(found.figures).verdict if found.figures else None

    def get_sentence(self, found: Alignment) -> str:
        return report_of(found).sentence

    def get_outdated(self, found: Alignment) -> str:
        return report_of(found).outdated


class RangeOfCallsSerializer(serializers.Serializer[Any]):
    low = serializers.IntegerField()
    high = serializers.IntegerField()


class AlignmentEstimateSerializer(serializers.Serializer[Any]):
    """What an alignment would be made of, and what measuring it would take."""

    labels = serializers.IntegerField(help_text="Answers that experts and the judge have both graded.")
    examples = serializers.IntegerField(help_text="How many the judge would be shown.")
    measured = serializers.IntegerField(help_text="How many answers would measure.")
    calls = RangeOfCallsSerializer()
    cached = serializers.IntegerField(help_text="Questions with a verdict, at no cost.")
    usd = serializers.DictField(allow_null=True, help_text="{low, high} in US dollars, null without a price.")
