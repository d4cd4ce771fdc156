"""REST: a time range and its usage."""

import datetime as dt
from typing import Any

from django.utils import timezone
from rest_framework import serializers

DEFAULT_RANGE = dt.timedelta(hours=24)
LONGEST_RANGE = dt.timedelta(days=366)
FIRST_YEAR, LAST_YEAR = 1970, 2999
"""There is room around them for whole hours and for any time zone."""


class RangeSerializer(serializers.Serializer[Any]):
    """`start` and `end` of the query. Defaults to the last 24 hours."""

    start = serializers.DateTimeField(required=False)
    end = serializers.DateTimeField(required=False)

    def validate(self, attrs: dict[str, dt.datetime]) -> dict[str, dt.datetime]:
        for name, moment in attrs.items():
            if not FIRST_YEAR <= moment.year <= LAST_YEAR:
                text = f"Enter a date between the years {FIRST_YEAR} and {LAST_YEAR}."
                raise serializers.ValidationError({name: text})
        end = attrs.get("end") or timezone.now()
        start = attrs.get("start") or end - DEFAULT_RANGE
        if start >= end:
            raise serializers.ValidationError({"start": "The start must be before the end."})
        if end - start > LONGEST_RANGE:
            raise serializers.ValidationError({"start": f"Request at most {LONGEST_RANGE.days} days at a time."})
        return {"start": start, "end": end}


class FiguresSerializer(serializers.Serializer[Any]):
    """Counts, tokens, and latencies in milliseconds."""

    requests = serializers.IntegerField()
    errors = serializers.IntegerField()  # type: ignore[assignment]
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    busy_ms = serializers.FloatField(help_text="Time the endpoint worked, in milliseconds.")
    p50_ms = serializers.FloatField(allow_null=True)
    p95_ms = serializers.FloatField(allow_null=True)


class UsageLineSerializer(serializers.Serializer[Any]):
    """One alias and version."""

    alias = serializers.CharField(source="name.alias", help_text="Empty for requests to a model that does not exist.")
    version = serializers.CharField(source="name.version_key", help_text="Adapter version id. Empty for a base model.")
    figures = FiguresSerializer()
