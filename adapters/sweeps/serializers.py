"""REST: sweeps."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from adapters.models import Sweep
from adapters.sweeps.grids import MAX_RUNS, SWEPT
from adapters.sweeps.queries import sweep_table
from adapters.training.serializers import RECIPE_HELP, NumberField, NumbersSerializer, TrainingRunSerializer


class NewSweepSerializer(NumbersSerializer):
    """Parses a request; what is allowed is for the service to say."""

    adapter = serializers.CharField(help_text="Name of a new adapter, or of one of yours.")
    dataset_version = serializers.UUIDField(help_text="A version whose state is `ready`.")
    recipe = serializers.CharField(default="style", help_text=RECIPE_HELP)
    base_model = serializers.SlugField(
        required=False, allow_null=True, default=None, help_text="Name; without it, the adapter's own."
    )
    grid = serializers.DictField(
        child=serializers.ListField(child=NumberField()),
        help_text=f"Values for {', '.join(SWEPT)}; every combination is a run, at most {MAX_RUNS}.",
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
    """The lowest held-out loss comes first."""

    runs = serializers.SerializerMethodField()

    class Meta(SweepSerializer.Meta):
        fields = (*SweepSerializer.Meta.fields, "runs")

    @extend_schema_field(SweepRowSerializer(many=True))
    def get_runs(self, sweep: Sweep) -> list[dict[str, Any]]:
        return list(SweepRowSerializer(sweep_table(sweep).rows, many=True, context=self.context).data)
