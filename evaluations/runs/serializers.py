"""REST: evaluations and their rows."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from corpora.versions.caveats import leaks_of
from corpora.versions.serializers import DataFindingSerializer
from evaluations.models import EvaluationItem, EvaluationRun, Review
from evaluations.runs.grades import RowGrades
from jobs.serializers import JobSerializer


class EvaluationSerializer(serializers.ModelSerializer[EvaluationRun]):
    """`summary` is empty until the state is `ready`; see the example of one evaluation.

    With `data_findings`, its scores look better than they are: test rows of the dataset version are, or are much like,
    training rows.
    """

    version_name = serializers.CharField(source="version.__str__", read_only=True)
    job = JobSerializer(read_only=True)
    summary = serializers.DictField(read_only=True)
    data_findings = serializers.SerializerMethodField(
        help_text="Leaks and near leaks of the dataset version, for which scores look better than they are."
    )

    class Meta:
        model = EvaluationRun
        fields = (
            "id",
            "version",
            "version_name",
            "dataset_version",
            "state",
            "judge",
            "summary",
            "data_findings",
            "job",
            "created_at",
        )

    @extend_schema_field(DataFindingSerializer(many=True))
    def get_data_findings(self, run: EvaluationRun) -> Any:
        return DataFindingSerializer(leaks_of(run.dataset_version), many=True).data


class NewEvaluationSerializer(serializers.Serializer[dict[str, Any]]):
    version = serializers.UUIDField(help_text="The adapter version to evaluate.")


class RowReviewSerializer(serializers.ModelSerializer[Review]):
    """An expert's grade of the adapter's answer, from 1 (wrong) to 5 (just right)."""

    reviewer = serializers.CharField(source="reviewer.__str__", read_only=True)

    class Meta:
        model = Review
        fields = ("reviewer", "grade", "comment", "updated_at")


class ItemSerializer(serializers.ModelSerializer[EvaluationItem]):
    """Scores are 0..1 by metric, the judge's grades 1..5; both by `base` and `adapter`.

    Its context has the `grades` of every row.
    """

    messages = serializers.ListField(child=serializers.DictField())
    tools = serializers.ListField(child=serializers.DictField(), help_text="Functions that the model may call.")
    scores = serializers.DictField()
    judgement = serializers.DictField()
    reviews = serializers.SerializerMethodField(help_text="Experts’ grades and comments, oldest first.")
    hidden_reviews = serializers.SerializerMethodField(
        help_text="Grades by others that you see after grading this answer. 0 unless you review this evaluation."
    )

    class Meta:
        model = EvaluationItem
        fields = (
            "id",
            "position",
            "slice",
            "messages",
            "tools",
            "reference",
            "answer_base",
            "answer_adapter",
            "scores",
            "judgement",
            "reviews",
            "hidden_reviews",
        )

    @extend_schema_field(RowReviewSerializer(many=True))
    def get_reviews(self, item: EvaluationItem) -> Any:
        return RowReviewSerializer(self._grades(item).shown, many=True).data

    def get_hidden_reviews(self, item: EvaluationItem) -> int:
        return self._grades(item).hidden

    def _grades(self, item: EvaluationItem) -> RowGrades:
        grades: RowGrades = self.context["grades"][item.id]
        return grades
