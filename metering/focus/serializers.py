"""REST: what a file of charges is asked to have."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from metering.focus.export import FORMATS
from metering.focus.periods import GRAINS, Month, WrongMonth, month_named
from metering.models import Grain


class MonthSerializer(serializers.Serializer[Any]):
    """A calendar month (UTC)."""

    month = serializers.CharField(required=False, max_length=7, help_text="Such as 2026-10; this month by default.")
    grain = serializers.ChoiceField(
        choices=[grain.value for grain in GRAINS], default=Grain.DAY.value, help_text="How long a charge’s period is."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        now = timezone.now()
        try:
            month: Month = month_named(attrs.get("month", f"{now:%Y-%m}"), now=now, grain=Grain(attrs["grain"]))
        except WrongMonth as error:
            raise serializers.ValidationError({"month": error.text}) from error
        return {**attrs, "month": month}


class FocusQuerySerializer(MonthSerializer):
    """A calendar month, and the kind of file."""

    file_type = serializers.ChoiceField(choices=list(FORMATS), default="csv")
