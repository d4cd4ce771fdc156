"""REST: reviews."""

from typing import Any

from rest_framework import serializers

from evaluations.models import EvaluationItem, Review
from evaluations.reviews.services import MAX_COMMENT
from evaluations.runs.queries import own_answer


class ReviewSerializer(serializers.ModelSerializer[Review]):
    item = serializers.UUIDField(source="item_id", read_only=True)

    class Meta:
        model = Review
        fields = ("id", "item", "grade", "comment", "created_at", "updated_at")


class NewReviewSerializer(serializers.Serializer[dict[str, Any]]):
    item = serializers.UUIDField()
    grade = serializers.IntegerField(help_text="From 1 (wrong) to 5 (just right).")
    comment = serializers.CharField(default="", allow_blank=True, help_text=f"Up to {MAX_COMMENT} characters.")


class OpenItemSerializer(serializers.Serializer[Any]):
    """What a reviewer sees of an answer, without model name and scores."""

    item = serializers.UUIDField(source="id")
    messages = serializers.ListField(child=serializers.DictField())
    expected = serializers.CharField(source="reference")
    answer = serializers.SerializerMethodField()

    def get_answer(self, item: EvaluationItem) -> str:
        return own_answer(item)


class NextReviewSerializer(serializers.Serializer[Any]):
    """`next` is null once everything is graded."""

    done = serializers.IntegerField()
    total = serializers.IntegerField()
    next = OpenItemSerializer(allow_null=True)
