"""REST: training runs, their previews and their comparison."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from adapters.models import AdapterVersion, TrainingRun
from adapters.recipes.catalogue import RECIPES
from adapters.recipes.hyperparameters import LAYERS, LEARN, LIMITS, STRENGTHS
from corpora.versions.serializers import DataFindingSerializer
from jobs.serializers import JobSerializer

BASE_MODEL_HELP = (
    "Name. Defaults to the adapter's base model, and for a new adapter to the first real one that was added; to a "
    "synthetic one only where there is no other."
)
RECIPE_HELP = f"One of {', '.join(RECIPES)}."


class TrainedVersionSerializer(serializers.ModelSerializer[AdapterVersion]):
    class Meta:
        model = AdapterVersion
        fields = ("id", "number")


class TrainingRunSerializer(serializers.ModelSerializer[TrainingRun]):
    """A run, its job with progress, and the `version` it produced, null until it succeeds."""

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
            "sweep",
            "resumed_from",
            "job",
            "version",
            "created_at",
        )

    @extend_schema_field(TrainedVersionSerializer(allow_null=True))
    def get_version(self, run: TrainingRun) -> dict[str, Any] | None:
        version = getattr(run, "version", None)
        return dict(TrainedVersionSerializer(version).data) if version else None


class NumberField(serializers.FloatField):
    """A number or numeric text. Other values pass through: the service explains which numbers are valid."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, bool):
            return data
        if not isinstance(data, int | float | str):
            self.fail("invalid")
        try:
            return float(data)
        except (ValueError, OverflowError):
            return data


class NumbersSerializer(serializers.Serializer[dict[str, Any]]):
    """Values that replace the recipe's."""

    overrides = serializers.DictField(
        child=NumberField(),
        default=dict,
        help_text=f"Values that replace the recipe's: {', '.join(LIMITS)}.",
    )
    layers = serializers.CharField(
        required=False, help_text=f"Layers to adapt instead of the recipe's: {', '.join(LAYERS)}."
    )
    learn = serializers.CharField(
        required=False,
        help_text=f"Answers of a conversation to learn: {', '.join(LEARN)}. Those with weight 0 are never learnt.",
    )
    strength = serializers.CharField(
        required=False, help_text=f"Alpha as a multiple of the rank, instead of a number: {', '.join(STRENGTHS)}."
    )


class NewTrainingSerializer(NumbersSerializer):
    """The training to start. Omitted fields come from `clone_of`."""

    adapter = serializers.CharField(
        required=False, help_text="A new name, or an existing adapter’s to train its next version."
    )
    dataset_version = serializers.UUIDField(required=False, help_text="A version whose state is `ready`.")
    recipe = serializers.CharField(required=False, help_text=RECIPE_HELP + " Defaults to style.")
    base_model = serializers.SlugField(required=False, allow_null=True, default=None, help_text=BASE_MODEL_HELP)
    evaluate = serializers.BooleanField(
        default=False,
        help_text="Evaluate the new version as soon as it is trained, with its base and the version before.",
    )
    clone_of = serializers.UUIDField(required=False, help_text="A run to take omitted fields from.")


class DifferenceSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    advised = serializers.CharField()
    chosen = serializers.CharField()


class MemorySerializer(serializers.Serializer[Any]):
    """Bytes on one GPU, calculated."""

    base = serializers.IntegerField()
    adapter = serializers.IntegerField(help_text="Including gradients.")
    optimiser = serializers.IntegerField()
    activations = serializers.IntegerField()
    cuda = serializers.IntegerField()
    total = serializers.IntegerField()


class SuggestedRecipeSerializer(serializers.Serializer[Any]):
    """The recipe that fits the dataset's answers."""

    key = serializers.CharField(source="recipe.key", help_text="To send as `recipe`.")
    reason = serializers.CharField(help_text="What of the data speaks for it.")


class PreviewSerializer(serializers.Serializer[Any]):
    """`tokens` are per epoch; unknown values are null."""

    recipe = serializers.CharField(source="recipe.key")
    suggested_recipe = SuggestedRecipeSerializer(
        source="suggestion", allow_null=True, help_text="null where the check of the dataset counted too few answers."
    )
    base_model = serializers.CharField(source="base_model.name")
    hyperparameters = serializers.DictField(source="hyperparameters.to_dict")
    differences = DifferenceSerializer(many=True)
    warnings = serializers.ListField(source="launch.warnings", child=serializers.CharField())
    data_findings = DataFindingSerializer(many=True)
    rows = serializers.IntegerField(source="launch.estimate.rows", help_text="Rows short enough to train on.")
    examples = serializers.IntegerField(
        source="launch.estimate.examples",
        help_text="More than `rows` where the chat template makes an example of each answer of a conversation.",
    )
    tokens = serializers.IntegerField(source="launch.tokens")
    tokens_source = serializers.CharField(source="launch.lengths.source")
    share_too_long = serializers.FloatField(source="launch.share_too_long", allow_null=True)
    steps = serializers.IntegerField(source="launch.estimate.steps")
    seconds = serializers.FloatField(source="launch.estimate.seconds")
    seconds_source = serializers.CharField(source="launch.estimate.source")
    usd = serializers.FloatField(source="launch.estimate.usd", allow_null=True)
    usd_per_hour = serializers.FloatField(source="launch.estimate.usd_per_hour", allow_null=True)
    price_source = serializers.CharField(source="launch.estimate.price_source")
    machine = serializers.CharField(source="launch.machine.title")
    row_tokens = serializers.IntegerField(
        source="launch.longest", help_text="Row length assumed for `gpu_memory`: the longest row sampled or allowed."
    )
    gpu_memory = MemorySerializer(source="launch.memory", allow_null=True)
    fits = serializers.BooleanField(source="launch.fits", allow_null=True)
    adapter_bytes = serializers.IntegerField(source="launch.adapter_bytes", allow_null=True)
    highest_rank = serializers.IntegerField(source="launch.highest_rank")
    can_be_served = serializers.BooleanField(source="launch.can_be_served")


class CompareSerializer(serializers.Serializer[Any]):
    runs = serializers.ListField(child=serializers.UUIDField(), help_text="Two to five different runs.")


class ComparedSerializer(serializers.Serializer[Any]):
    """`points` are {step, loss, eval_loss, learning_rate, ...}, as reported."""

    letter = serializers.CharField()
    run = TrainingRunSerializer()
    loss = serializers.FloatField(allow_null=True)
    eval_loss = serializers.FloatField(allow_null=True)
    seconds = serializers.FloatField(allow_null=True)
    cost_usd = serializers.FloatField(allow_null=True)
    points = serializers.ListField(child=serializers.DictField())


class SettingRowSerializer(serializers.Serializer[Any]):
    title = serializers.CharField()
    values = serializers.ListField(child=serializers.CharField())
    differs = serializers.BooleanField()


class ComparisonSerializer(serializers.Serializer[Any]):
    """`settings` hold a value for each run, in their order."""

    runs = ComparedSerializer(many=True)
    settings = SettingRowSerializer(many=True)
