"""REST: freeze windows."""

from typing import Any

from rest_framework import serializers

from serving.models import Freeze, SiteFreeze


class FreezeSerializer(serializers.ModelSerializer[Freeze]):
    """A window of one adapter, or of all your adapters (`adapter` is null)."""

    class Meta:
        model = Freeze
        fields = ("id", "adapter", "starts_at", "ends_at", "reason", "created_at")


class NewFreezeSerializer(serializers.Serializer[Any]):
    """A freeze from `starts_at` (omitted: now) until `ends_at`."""

    adapter = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="ID of an adapter; omitted: all your adapters."
    )
    starts_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    ends_at = serializers.DateTimeField()
    reason = serializers.CharField(max_length=200)


class SiteFreezeSerializer(serializers.ModelSerializer[SiteFreeze]):
    """A window of the whole site, set by its operator."""

    class Meta:
        model = SiteFreeze
        fields = ("id", "starts_at", "ends_at", "reason", "created_at")
