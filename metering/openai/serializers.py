"""The queries that OpenAI's clients send."""

import datetime as dt
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from metering.models import Grain
from metering.openai.buckets import WIDTHS, buckets, start_of
from metering.usage.serializers import FIRST_YEAR, LAST_YEAR

MOST_VALUES = 1_000
"""Of a filter."""
LATEST = int(dt.datetime(LAST_YEAR, 12, 31, tzinfo=dt.UTC).timestamp())


class ListField(serializers.ListField):
    """`name[]=a&name[]=b` as OpenAI's clients write it, `name=a&name=b` as its documentation does."""

    def get_value(self, dictionary: Any) -> Any:
        for name in (f"{self.field_name}[]", self.field_name):
            if name in dictionary:
                return dictionary.getlist(name)
        return serializers.empty


def _texts(**options: Any) -> ListField:
    child = serializers.CharField(max_length=200, trim_whitespace=False)
    return ListField(child=child, required=False, default=list, max_length=MOST_VALUES, **options)


class RangeSerializer(serializers.Serializer[Any]):
    """Unix seconds, the width of buckets and how many; `page` is the `next_page` of another response."""

    widths: tuple[str, ...] = ("1d", "1h")
    groups: tuple[str, ...] = ()
    limits: dict[Grain, tuple[int, int]] = {}
    """The usual number of buckets and the highest, by width."""

    start_time = serializers.IntegerField(min_value=0, max_value=LATEST)
    end_time = serializers.IntegerField(required=False, min_value=0, max_value=LATEST)
    bucket_width = serializers.CharField(default="1d")
    limit = serializers.IntegerField(required=False, min_value=1)
    page = serializers.CharField(required=False, max_length=40)
    group_by = _texts()
    project_ids = _texts()
    api_key_ids = _texts()
    user_ids = _texts()

    def validate_bucket_width(self, width: str) -> str:
        if width not in self.widths:
            raise serializers.ValidationError(f"Supported widths are {', '.join(self.widths)}.")
        return width

    def validate_group_by(self, names: list[str]) -> list[str]:
        for name in names:
            if name not in self.groups:
                raise serializers.ValidationError(f"Group by {', '.join(self.groups)}.")
        return names

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        grain = WIDTHS[attrs["bucket_width"]]
        usual, most = self.limits[grain]
        limit = attrs.get("limit", usual)
        if limit > most:
            raise serializers.ValidationError({"limit": f"Request at most {most} buckets of {attrs['bucket_width']}."})
        start = _moment(attrs["start_time"])
        end = _moment(attrs["end_time"]) if "end_time" in attrs else timezone.now()
        if "page" in attrs:
            try:
                start = max(start, start_of(attrs["page"]))
            except ValueError:
                raise serializers.ValidationError({"page": "This is not a page of this list."}) from None
        if start >= end or start.year < FIRST_YEAR:
            raise serializers.ValidationError({"start_time": "The start must be before the end."})
        return {**attrs, "buckets": buckets(start, end, grain=grain, limit=limit)}


class CompletionsQuerySerializer(RangeSerializer):
    """Requests by model and API key. A project is an organisation; there are no users, batches or tiers."""

    groups = ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier")
    limits = {Grain.DAY: (7, 31), Grain.HOUR: (24, 168)}

    models = _texts()
    batch = serializers.BooleanField(required=False, allow_null=True, default=None)


class CostsQuerySerializer(RangeSerializer):
    """Costs by what is paid for and API key."""

    widths = ("1d",)
    groups = ("project_id", "line_item", "api_key_id")
    limits = {Grain.DAY: (7, 180)}

    line_items = _texts()


def _moment(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
