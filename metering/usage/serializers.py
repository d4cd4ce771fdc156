"""REST: a range of time, and usage in it."""

import datetime as dt
from typing import Any

from django.utils import timezone
from rest_framework import serializers

DEFAULT_RANGE = dt.timedelta(hours=24)
LONGEST_RANGE = dt.timedelta(days=366)


class RangeSerializer(serializers.Serializer[Any]):
    """`start` and `end` of the query; by default the last 24 hours."""

    start = serializers.DateTimeField(required=False)
    end = serializers.DateTimeField(required=False)

    def validate(self, attrs: dict[str, dt.datetime]) -> dict[str, dt.datetime]:
        end = attrs.get("end") or timezone.now()
        start = attrs.get("start") or end - DEFAULT_RANGE
        if start >= end:
            raise serializers.ValidationError({"start": "The start must be before the end."})
        if end - start > LONGEST_RANGE:
            raise serializers.ValidationError({"start": f"Ask for at most {LONGEST_RANGE.days} days at a time."})
        return {"start": start, "end": end}


class FiguresSerializer(serializers.Serializer[Any]):
    """Counts, tokens, and latencies in milliseconds."""

    requests = serializers.IntegerField()
    errors = serializers.IntegerField()  # type: ignore[assignment]
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    busy_ms = serializers.FloatField(help_text="the endpoint's own time")
    p50_ms = serializers.FloatField(allow_null=True)
    p95_ms = serializers.FloatField(allow_null=True)


class UsageLineSerializer(serializers.Serializer[Any]):
    """One alias and version."""

    alias = serializers.CharField(help_text="empty for requests of a model that does not exist")
    version = serializers.CharField(source="version_key", help_text="adapter version id, empty for a base model")
    figures = FiguresSerializer()
