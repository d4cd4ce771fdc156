"""REST: evaluations and their rows."""

from typing import Any

from rest_framework import serializers

from evaluations.models import EvaluationItem, EvaluationRun
from jobs.serializers import JobSerializer


class EvaluationSerializer(serializers.ModelSerializer[EvaluationRun]):
    """`summary` is empty until the state is `ready`; see the example of one evaluation."""

    version_name = serializers.CharField(source="version.__str__", read_only=True)
    job = JobSerializer(read_only=True)
    summary = serializers.DictField(read_only=True)

    class Meta:
        model = EvaluationRun
        fields = ("id", "version", "version_name", "dataset_version", "state", "judge", "summary", "job", "created_at")


class NewEvaluationSerializer(serializers.Serializer[dict[str, Any]]):
    version = serializers.UUIDField(help_text="The adapter version to evaluate.")


class ItemSerializer(serializers.ModelSerializer[EvaluationItem]):
    """Scores are 0..1 by metric, grades 1..5; both by `base` and `adapter`."""

    messages = serializers.ListField(child=serializers.DictField())
    scores = serializers.DictField()
    judgement = serializers.DictField()

    class Meta:
        model = EvaluationItem
        fields = (
            "id",
            "position",
            "slice",
            "messages",
            "reference",
            "answer_base",
            "answer_adapter",
            "scores",
            "judgement",
        )
