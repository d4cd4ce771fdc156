"""REST: a time range and its usage."""

import datetime as dt
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from metering.models import By, Grain
from metering.usage.queries import Slice
from metering.usage.wanted import FILTERS, LONGEST_BY_HOUR, LONGEST_VALUE, can_be

DEFAULT_RANGE = dt.timedelta(hours=24)
LONGEST_RANGE = dt.timedelta(days=400)
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


class UsageQuerySerializer(RangeSerializer):
    """What usage is broken down by, narrowed to, and at which times it is told."""

    by = serializers.ChoiceField([by.value for by in FILTERS], default=By.VERSION.value)
    grain = serializers.ChoiceField([Grain.HOUR.value, Grain.DAY.value, Grain.MONTH.value], required=False)
    model = serializers.CharField(required=False, max_length=LONGEST_VALUE)
    version = serializers.CharField(required=False, max_length=LONGEST_VALUE)
    endpoint = serializers.CharField(required=False, max_length=LONGEST_VALUE)
    key = serializers.CharField(required=False, max_length=LONGEST_VALUE)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        only = {by: attrs[by.value] for by in FILTERS if by.value in attrs}
        for by, value in only.items():
            if not can_be(by, value):
                raise serializers.ValidationError({by.value: f"There can be no {by.label} like this."})
        times = super().validate({name: attrs[name] for name in ("start", "end") if name in attrs})
        wanted = Slice.touching(times["start"], times["end"], only.items())
        grain = Grain(attrs["grain"]) if "grain" in attrs else None
        if grain == Grain.HOUR and wanted.length > LONGEST_BY_HOUR:
            raise serializers.ValidationError({"grain": f"Request at most {LONGEST_BY_HOUR.days} days by hour."})
        return {"wanted": wanted, "by": By(attrs["by"]), "grain": grain}


class FiguresSerializer(serializers.Serializer[Any]):
    """Counts, tokens, costs, and times in milliseconds."""

    requests = serializers.IntegerField()
    errors = serializers.IntegerField(help_text="The sum of the next four.")  # type: ignore[assignment]
    refused = serializers.IntegerField(help_text="Answered with 4xx.")
    limited = serializers.IntegerField(help_text="Over a limit: 429.")
    failed = serializers.IntegerField(help_text="Answered with 5xx.")
    disconnected = serializers.IntegerField(help_text="The caller did not wait.")
    prompt_tokens = serializers.IntegerField()
    cached_tokens = serializers.IntegerField(help_text="Of the prompts’, those that the endpoint did not read again.")
    completion_tokens = serializers.IntegerField()
    cold_starts = serializers.IntegerField(help_text="Requests for which an adapter was loaded first.")
    busy_ms = serializers.FloatField(help_text="Time the endpoint worked, in milliseconds.")
    queue_ms = serializers.FloatField(
        allow_null=True, help_text="Mean time in the endpoint’s queue. Null: the endpoint does not tell."
    )
    p50_ms = serializers.FloatField(allow_null=True)
    p95_ms = serializers.FloatField(allow_null=True)
    p99_ms = serializers.FloatField(allow_null=True)
    first_p50_ms = serializers.FloatField(allow_null=True, help_text="Time to the first token of streamed answers.")
    first_p95_ms = serializers.FloatField(allow_null=True)
    used_cost = serializers.DecimalField(max_digits=20, decimal_places=6, help_text="For serving these requests.")
    idle_cost = serializers.DecimalField(max_digits=20, decimal_places=6, help_text="Your part of idle time.")
    requests_without_cost = serializers.IntegerField(source="unpriced", help_text="Requests without a cost yet.")


class UsageLineSerializer(serializers.Serializer[Any]):
    """One part of the breakdown. `alias` and `version` are those of a model or version."""

    value = serializers.CharField(source="name.value", help_text="For the filter of the same name.")
    label = serializers.CharField()  # type: ignore[assignment]
    alias = serializers.CharField(source="name.alias", help_text="Empty for requests to a model that does not exist.")
    version = serializers.CharField(source="name.version_key", help_text="Adapter version id. Empty for a base model.")
    figures = FiguresSerializer()


class UsagePointSerializer(serializers.Serializer[Any]):
    """An hour, day or month (UTC) with requests."""

    start = serializers.DateTimeField()
    figures = FiguresSerializer()
