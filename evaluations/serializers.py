"""Evaluations and reviews as REST shows them."""

from typing import Any

from rest_framework import serializers

from evaluations.models import EvaluationItem, EvaluationRun, Review
from evaluations.services import MAX_COMMENT
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


class ReviewSerializer(serializers.ModelSerializer[Review]):
    item = serializers.UUIDField(source="item_id", read_only=True)

    class Meta:
        model = Review
        fields = ("id", "item", "grade", "comment", "created_at", "updated_at")


class NewReviewSerializer(serializers.Serializer[dict[str, Any]]):
    item = serializers.UUIDField()
    grade = serializers.IntegerField(help_text="From 1, wrong, to 5, just right.")
    comment = serializers.CharField(default="", allow_blank=True, help_text=f"At most {MAX_COMMENT} characters.")


class OpenItemSerializer(serializers.Serializer[Any]):
    """What a reviewer sees of an answer: neither the model's name nor its scores."""

    item = serializers.UUIDField(source="id")
    messages = serializers.ListField(child=serializers.DictField())
    expected = serializers.CharField(source="reference")
    answer = serializers.CharField(source="answer_adapter")


class NextReviewSerializer(serializers.Serializer[Any]):
    """`next` is null once everything is graded."""

    done = serializers.IntegerField()
    total = serializers.IntegerField()
    next = OpenItemSerializer(allow_null=True)
