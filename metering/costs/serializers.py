"""REST: costs."""

from typing import Any

from rest_framework import serializers

from evaluations.models import CallPurpose, PaidTo

PAID_TO = "`site`; `provider`: your own judge’s; `serving`: a model on this site, whose cost is in the line of serving."


class CallsSerializer(serializers.Serializer[Any]):
    """Calls of language models, with the tokens that their servers reported."""

    calls = serializers.IntegerField()
    without_price = serializers.IntegerField(help_text="Calls that cost something unknown: no price is set.")
    without_tokens = serializers.IntegerField(help_text="The same: their server reported no tokens.")
    tokens_in = serializers.IntegerField()
    tokens_out = serializers.IntegerField()


class CostLineSerializer(serializers.Serializer[Any]):
    """One kind of cost: time at a price per hour, calls of judges and outside models, or storage."""

    kind = serializers.CharField()
    title = serializers.CharField()
    paid_to = serializers.ChoiceField(PaidTo.choices, help_text=PAID_TO)
    seconds = serializers.FloatField(allow_null=True)
    usd_per_hour = serializers.DecimalField(max_digits=10, decimal_places=4, allow_null=True)
    calls = CallsSerializer(allow_null=True)
    requests_without_cost = serializers.IntegerField(
        source="unpriced", help_text="Requests that `usd` is without: their hour was not shared yet, or has no price."
    )
    gb_months = serializers.DecimalField(
        max_digits=16, decimal_places=6, allow_null=True, help_text="Of storage; a GB is 2^30 bytes."
    )
    usd_per_gb_month = serializers.DecimalField(max_digits=20, decimal_places=10, allow_null=True)
    price_source = serializers.CharField()
    basis = serializers.CharField()
    usd = serializers.DecimalField(
        max_digits=16, decimal_places=6, allow_null=True, help_text="Null: no cost is known, or it is in another line."
    )


class JudgeLineSerializer(serializers.Serializer[Any]):
    """One judge’s part of the cost line with its purpose and `paid_to`."""

    purpose = serializers.ChoiceField(CallPurpose.choices)
    judge = serializers.CharField(source="judge_key", help_text="Its id, or the alias of one that the site shares.")
    name = serializers.CharField(source="judge")
    paid_to = serializers.ChoiceField(PaidTo.choices, help_text=PAID_TO)
    calls = CallsSerializer()
    usd = serializers.DecimalField(max_digits=16, decimal_places=6, allow_null=True)
