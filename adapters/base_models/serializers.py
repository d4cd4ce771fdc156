"""REST: base models."""

from rest_framework import serializers

from adapters.models import BaseModel


class BaseModelSerializer(serializers.ModelSerializer[BaseModel]):
    """A base model, without its location, which only the operator sees."""

    class Meta:
        model = BaseModel
        fields = (
            "id",
            "name",
            "title",
            "description",
            "architecture",
            "licence",
            "source",
            "sha256",
            "parameters",
            "context_length",
            "is_synthetic",
            "created_at",
        )
