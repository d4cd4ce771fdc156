"""What REST shows of base models, adapters, versions and training runs, and how a training is asked for."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from adapters.hyperparameters import LIMITS
from adapters.models import Adapter, AdapterVersion, BaseModel, TrainingRun
from adapters.recipes import RECIPES
from jobs.serializers import JobSerializer


class BaseModelSerializer(serializers.ModelSerializer[BaseModel]):
    """`location` is the operator's business and not shown."""

    class Meta:
        model = BaseModel
        fields = (
            "id",
            "name",
            "title",
            "description",
            "sha256",
            "parameters",
            "context_length",
            "is_synthetic",
            "created_at",
        )


class AdapterSerializer(serializers.ModelSerializer[Adapter]):
    base_model = serializers.SlugRelatedField[BaseModel](slug_field="name", read_only=True)

    class Meta:
        model = Adapter
        fields = ("id", "name", "description", "base_model", "created_at")


class AdapterVersionSerializer(serializers.ModelSerializer[AdapterVersion]):
    """`package_sha256` names the content; `metrics` are the training's final ones."""

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
            "package_bytes",
            "metrics",
            "manifest",
            "created_at",
        )


class TrainedVersionSerializer(serializers.ModelSerializer[AdapterVersion]):
    class Meta:
        model = AdapterVersion
        fields = ("id", "number")


class TrainingRunSerializer(serializers.ModelSerializer[TrainingRun]):
    """A run and its job, which says how it goes; `version` is what came of it, null until it succeeds."""

    adapter_name = serializers.CharField(source="adapter.name", read_only=True)
    job = JobSerializer(read_only=True)
    version = serializers.SerializerMethodField()

    class Meta:
        model = TrainingRun
        fields = (
            "id",
            "adapter",
            "adapter_name",
            "dataset_version",
            "recipe",
            "hyperparameters",
            "job",
            "version",
            "created_at",
        )

    @extend_schema_field(TrainedVersionSerializer(allow_null=True))
    def get_version(self, run: TrainingRun) -> dict[str, Any] | None:
        version = getattr(run, "version", None)
        return dict(TrainedVersionSerializer(version).data) if version else None


class NewTrainingSerializer(serializers.Serializer[dict[str, Any]]):
    """Parses a request; what is allowed is for the service to say."""

    adapter = serializers.CharField(help_text="Name of a new adapter, or of one of yours to train its next version.")
    dataset_version = serializers.UUIDField(help_text="A version whose state is `ready`.")
    recipe = serializers.CharField(default="style", help_text=f"One of {', '.join(RECIPES)}.")
    base_model = serializers.SlugField(
        required=False, allow_null=True, default=None, help_text="Name; without it, the adapter's own."
    )
    overrides = serializers.DictField(
        child=serializers.FloatField(),
        default=dict,
        help_text=f"Numbers to use instead of the recipe's: {', '.join(LIMITS)}.",
    )
