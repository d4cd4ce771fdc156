"""REST: the capacity of an endpoint, as one of its tenants sees it."""

from typing import Any

from rest_framework import serializers


class OwnAdapterSerializer(serializers.Serializer[Any]):
    """One of your adapters there. `tier` is where it usually is when it is asked."""

    deployment = serializers.UUIDField(source="deployment.id")
    version = serializers.UUIDField(source="deployment.version_id")
    alias = serializers.CharField(source="deployment.version.adapter.name")
    rank = serializers.IntegerField(source="deployment.version.rank")
    requests_per_hour = serializers.FloatField(source="an_hour", help_text="Over the last day.")
    tier = serializers.ChoiceField(choices=("hot", "warm", "cold"), help_text="In a slot, in memory, or on disk.")


class OwnCapacitySerializer(serializers.Serializer[Any]):
    """What applies to everyone on an endpoint, and your own adapters there."""

    highest_rank = serializers.IntegerField()
    context_tokens = serializers.IntegerField()
    adapters_take_turns = serializers.BooleanField(
        source="take_turns",
        allow_null=True,
        help_text="Whether more adapters are there than have a slot; null: unknown.",
    )
    adapters = OwnAdapterSerializer(many=True)
