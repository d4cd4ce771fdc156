"""REST: base models."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from adapters.models import BaseModel
from adapters.offers.needs import Needs, needs_of


class NeedsSerializer(serializers.Serializer[Needs]):
    """What a base model needs on one GPU."""

    adapter = serializers.IntegerField(help_text="Bytes of an adapter of rank 16 on all linear layers.")
    training = serializers.IntegerField(help_text="Bytes of GPU memory in a 4-bit training of such an adapter.")
    serving = serializers.IntegerField(help_text="Bytes of GPU memory in bf16 with 16 such adapters.")
    training_instance = serializers.CharField(
        allow_null=True, help_text="The smallest SageMaker instance with one GPU that suffices; null if none does."
    )
    serving_instance = serializers.CharField(allow_null=True, help_text="The same for serving.")


class BaseModelSerializer(serializers.ModelSerializer[BaseModel]):
    """A base model, without its location, which only the operator sees."""

    needs = serializers.SerializerMethodField(help_text="null for families whose shape is not known here.")

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
            "needs",
            "created_at",
        )

    @extend_schema_field(NeedsSerializer(allow_null=True))
    def get_needs(self, base_model: BaseModel) -> dict[str, object] | None:
        found = needs_of(base_model)
        return NeedsSerializer(found).data if found else None
