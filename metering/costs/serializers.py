"""REST: costs."""

from typing import Any

from rest_framework import serializers


class CostLineSerializer(serializers.Serializer[Any]):
    """One kind of cost at one price."""

    kind = serializers.CharField()
    title = serializers.CharField()
    seconds = serializers.FloatField()
    usd_per_hour = serializers.DecimalField(max_digits=10, decimal_places=4)
    price_source = serializers.CharField()
    basis = serializers.CharField()
    usd = serializers.DecimalField(max_digits=16, decimal_places=6)
