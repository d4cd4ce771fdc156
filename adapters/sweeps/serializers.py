"""REST: sweeps."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from adapters.models import Sweep
from adapters.sweeps.grids import MAX_RUNS, SWEPT
from adapters.sweeps.queries import sweep_table
from adapters.training.serializers import (
    BASE_MODEL_HELP,
    RECIPE_HELP,
    NumberField,
    NumbersSerializer,
    TrainingRunSerializer,
)


class NewSweepSerializer(NumbersSerializer):
    """The grid and the training that it varies."""

    adapter = serializers.CharField(help_text="A new name, or an existing adapter’s.")
    dataset_version = serializers.UUIDField(help_text="A version whose state is `ready`.")
    recipe = serializers.CharField(default="style", help_text=RECIPE_HELP)
    base_model = serializers.SlugField(required=False, allow_null=True, default=None, help_text=BASE_MODEL_HELP)
    grid = serializers.DictField(
        child=serializers.ListField(child=NumberField()),
        help_text=f"Values for {', '.join(SWEPT)}; each combination is one run, up to {MAX_RUNS}.",
    )


class SweepSerializer(serializers.ModelSerializer[Sweep]):
    adapter_name = serializers.CharField(source="adapter.name", read_only=True)

    class Meta:
        model = Sweep
        fields: tuple[str, ...] = ("id", "adapter", "adapter_name", "grid", "created_at")


class SweepRowSerializer(serializers.Serializer[Any]):
    run = TrainingRunSerializer()
    loss = serializers.FloatField(allow_null=True)
    eval_loss = serializers.FloatField(allow_null=True)
    is_best = serializers.BooleanField()


class SweepDetailSerializer(SweepSerializer):
    """Sorted by held-out loss, lowest first."""

    runs = serializers.SerializerMethodField()

    class Meta(SweepSerializer.Meta):
        fields = (*SweepSerializer.Meta.fields, "runs")

    @extend_schema_field(SweepRowSerializer(many=True))
    def get_runs(self, sweep: Sweep) -> list[dict[str, Any]]:
        return list(SweepRowSerializer(sweep_table(sweep).rows, many=True, context=self.context).data)
