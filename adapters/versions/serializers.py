"""REST: adapters, their versions and their cards."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from adapters.models import Adapter, AdapterVersion, BaseModel
from adapters.versions.cards import Card
from corpora.versions.serializers import DataFindingSerializer


class AdapterSerializer(serializers.ModelSerializer[Adapter]):
    base_model = serializers.SlugRelatedField[BaseModel](slug_field="name", read_only=True)

    class Meta:
        model = Adapter
        fields = ("id", "name", "description", "base_model", "created_at")


class AdapterVersionSerializer(serializers.ModelSerializer[AdapterVersion]):
    """`package_sha256` identifies the content; `metrics` are the final ones of the training."""

    adapter_name = serializers.CharField(source="adapter.name", read_only=True)
    training_run = serializers.UUIDField(source="run_id", read_only=True)
    dataset_version = serializers.UUIDField(source="run.dataset_version_id", read_only=True)

    class Meta:
        model = AdapterVersion
        fields = (
            "id",
            "adapter",
            "adapter_name",
            "number",
            "training_run",
            "dataset_version",
            "rank",
            "package_sha256",
            "registry_arn",
            "package_bytes",
            "metrics",
            "manifest",
            "created_at",
        )


class PairsField(serializers.DictField):
    """Facts as an object of name -> value."""

    child = serializers.CharField()

    def to_representation(self, value: Any) -> dict[str, str]:
        return dict(value)


class CardSerializer(serializers.Serializer[Any]):
    """Everything as text; `data`, `base`, `training` and so on map names to values."""

    title = serializers.CharField()
    version = serializers.UUIDField(source="version.id")
    purpose = serializers.SerializerMethodField()
    description = serializers.CharField(source="version.adapter.description")
    dataset = serializers.CharField()
    data = PairsField()  # type: ignore[assignment]
    data_findings = DataFindingSerializer(many=True)
    base = PairsField()
    hyperparameters = PairsField()
    training = PairsField()
    results = serializers.SerializerMethodField()
    limits = serializers.ListField(child=serializers.CharField())
    reproduction = PairsField()
    package_sha256 = serializers.CharField(source="version.package_sha256")

    def get_purpose(self, card: Card) -> str:
        return f"{card.recipe.title}. {card.recipe.text}" if card.recipe else ""

    @extend_schema_field(serializers.DictField(child=PairsField()))
    def get_results(self, card: Card) -> dict[str, dict[str, str]]:
        return {title: dict(facts) for title, facts in card.results}
