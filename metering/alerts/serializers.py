"""REST: alerts."""

from typing import Any

from rest_framework import serializers

from metering.models import Alert


class AlertSerializer(serializers.ModelSerializer[Alert]):
    """`ended_at` is null while it is open. `data` is what webhooks were told, without the alert's own ID."""

    acknowledged_by = serializers.CharField(allow_null=True, read_only=True)

    class Meta:
        model = Alert
        fields = (
            "id", "kind", "title", "text", "data", "created_at", "seen_at", "ended_at", "acknowledged_at",
            "acknowledged_by", "note", "snoozed_until",
        )  # fmt: skip
        read_only_fields = fields


class AcknowledgeSerializer(serializers.Serializer[Any]):
    """What others should know."""

    note = serializers.CharField(required=False, allow_blank=True, max_length=300)


class SnoozeSerializer(serializers.Serializer[Any]):
    """Until when nobody is pointed to it, at most 90 days ahead."""

    until = serializers.DateTimeField()
