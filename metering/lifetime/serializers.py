"""REST: costs of versions over their lives."""

from typing import Any

from rest_framework import serializers

from metering.lifetime.advice import Advice
from metering.lifetime.advice import Advised as AdvisedValue


def _money(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=20, decimal_places=6, **options)


class AdviceSerializer(serializers.Serializer[AdvisedValue]):
    advice = serializers.ChoiceField([one.value for one in Advice])
    reason = serializers.CharField()


class LifeSerializer(serializers.Serializer[Any]):
    """Amounts are US dollars, null where no price is known. `advice` is that of a live version, else null."""

    version = serializers.UUIDField(source="life.version.id")
    adapter = serializers.CharField(source="life.version.adapter.name")
    number = serializers.IntegerField(source="life.version.number")
    requests = serializers.IntegerField(source="life.figures.requests")
    tokens = serializers.IntegerField(source="life.figures.tokens")
    training_usd = _money(source="life.training", allow_null=True)
    evaluating_usd = _money(source="life.evaluating", allow_null=True)
    judging_usd = _money(source="life.judging", allow_null=True)
    serving_usd = _money(source="life.figures.used_cost")
    idle_usd = _money(source="life.figures.idle_cost")
    total_usd = _money(source="life.total", help_text="Of what is known.")
    usd_per_request = serializers.FloatField(source="life.per_request", allow_null=True)
    usd_per_1000_tokens = serializers.FloatField(source="life.per_1000_tokens", allow_null=True)
    seconds_on_endpoints = serializers.FloatField(source="life.seconds_on_endpoints")
    without_price = serializers.IntegerField(
        source="life.unknown", help_text="Runs, judgings and requests without a price."
    )
    advice = AdviceSerializer(allow_null=True)


class ApartSerializer(serializers.Serializer[Any]):
    """Adapter-hours on one endpoint at one price."""

    endpoint = serializers.CharField()
    hours = serializers.FloatField()
    usd_per_hour = serializers.DecimalField(source="price_per_hour", max_digits=16, decimal_places=6)
    usd = serializers.FloatField()


class SavingSerializer(serializers.Serializer[Any]):
    """Shared endpoints against one for each adapter, over the last 30 days. `share` is of `apart_usd`."""

    start = serializers.DateTimeField(source="slice.start")
    end = serializers.DateTimeField(source="slice.end")
    together_usd = _money(source="usd_together")
    apart_usd = serializers.FloatField(source="usd_apart", allow_null=True)
    share = serializers.FloatField(allow_null=True)
    hours_without_price = serializers.FloatField()
    parts = ApartSerializer(source="apart", many=True)


class AdapterCostsSerializer(serializers.Serializer[Any]):
    """All versions, the dearest first. With `rest_usd`, what is of no version, they sum to `total_usd`."""

    versions = LifeSerializer(many=True)
    rest_usd = _money()
    total_usd = _money()
    saving = SavingSerializer()
