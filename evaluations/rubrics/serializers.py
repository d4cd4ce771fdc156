"""REST serializers of rubrics."""

from typing import Any

from rest_framework import serializers

from evaluations.judges.example import ANSWER, MESSAGES, REFERENCE
from evaluations.models import Rubric
from evaluations.rubrics.document import MAX_BYTES
from evaluations.rubrics.queries import document_of


class RubricSerializer(serializers.ModelSerializer[Rubric]):
    """A rubric with its newest version."""

    version = serializers.IntegerField(read_only=True)
    sha256 = serializers.CharField(read_only=True, help_text="Of what is graded and how; the name is no part of it.")
    document = serializers.SerializerMethodField(help_text="The rubric as JSON; the same fields as in YAML.")
    changed_at = serializers.DateTimeField(read_only=True)

    class Meta:
        model = Rubric
        fields = ("id", "name", "version", "sha256", "document", "created_at", "changed_at")
        read_only_fields = fields

    def get_document(self, rubric: Rubric) -> dict[str, Any]:
        return document_of(rubric).to_dict()


class RubricBodySerializer(serializers.Serializer[Any]):
    """A rubric, either as JSON or as a text of YAML."""

    document = serializers.DictField(required=False, help_text="The rubric as JSON.")
    yaml = serializers.CharField(
        required=False, max_length=MAX_BYTES, trim_whitespace=False, help_text="The rubric as YAML."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Send the rubric as “document” or as “yaml”.")
        return attrs


class RowSerializer(serializers.Serializer[Any]):
    """A row to preview the prompts on, or a dataset version. Omitted fields are those of a built-in example."""

    dataset_version = serializers.UUIDField(
        required=False, help_text="Its first five rows held out, with the expected answer also as the one to grade."
    )
    messages = serializers.ListField(child=serializers.DictField(), required=False, max_length=100)
    reference = serializers.CharField(required=False, allow_blank=True, max_length=100_000)
    answer = serializers.CharField(required=False, allow_blank=True, max_length=100_000)

    def validate_messages(self, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for message in messages:
            if not isinstance(message.get("role"), str) or not isinstance(message.get("content"), str):
                raise serializers.ValidationError("Each message has a role and a content, both texts.")
        return messages

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "dataset_version" in attrs and len(attrs) > 1:
            raise serializers.ValidationError("Send a dataset version or a row, not both.")
        return attrs

    def row(self) -> dict[str, Any]:
        """Arguments of `preview.prompts`."""
        return {"messages": MESSAGES, "reference": REFERENCE, "answer": ANSWER, **self.validated_data}


class PromptSerializer(serializers.Serializer[Any]):
    """The exact prompt of one criterion."""

    row = serializers.IntegerField(
        allow_null=True, help_text="Number of the row in the dataset version, if one was sent."
    )
    criterion = serializers.CharField()
    system = serializers.CharField()
    user = serializers.CharField()
    sha256 = serializers.CharField()
    cut = serializers.BooleanField(help_text="Whether a text was too long and lost its middle.")
