"""REST serializers of agreement."""

from typing import Any

from rest_framework import serializers


class RoundAgreementSerializer(serializers.Serializer[Any]):
    """One round. Each line has `title`, `ac` and `alpha`: name, weights, value, interval and raw agreement."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    rubric = serializers.CharField()
    reviews = serializers.IntegerField()
    experts = serializers.IntegerField()
    overall = serializers.DictField(allow_null=True)
    criteria = serializers.ListField(child=serializers.DictField())
    reviewers = serializers.ListField(child=serializers.DictField())
    weeks = serializers.ListField(child=serializers.DictField())
    judges = serializers.ListField(
        child=serializers.DictField(), help_text="Agreement, confusion, bias, calibration levels and anchoring."
    )
