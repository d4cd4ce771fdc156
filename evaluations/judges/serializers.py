"""REST serializers of judges."""

from typing import Any

from rest_framework import serializers

from evaluations.judges.configured import fingerprint
from evaluations.judges.services import Trial
from evaluations.judges.settings import HIGHEST_PRICE, MAX_SAMPLES
from evaluations.models import Judge, JudgeKind

PRICE: dict[str, Any] = {
    "max_digits": 10,
    "decimal_places": 4,
    "min_value": 0,
    "max_value": HIGHEST_PRICE,
    "allow_null": True,
    "required": False,
}


class JudgeSerializer(serializers.ModelSerializer[Judge]):
    """A judge. Its secret is never returned; `secret_host` says where it is sent."""

    has_secret = serializers.BooleanField(read_only=True)
    fingerprint = serializers.SerializerMethodField(
        help_text="Changes with whatever changes what the judge computes, as `version` does."
    )

    class Meta:
        model = Judge
        fields = (
            "id",
            "name",
            "kind",
            "model",
            "address",
            "region",
            "api_version",
            "temperature",
            "samples",
            "price_in",
            "price_out",
            "requests_per_minute",
            "is_tested_automatically",
            "has_secret",
            "secret_host",
            "version",
            "fingerprint",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields

    def get_fingerprint(self, judge: Judge) -> str:
        return fingerprint(judge)


class JudgeChangeSerializer(serializers.Serializer[Any]):
    """Fields to change. Omitted fields keep their values."""

    name = serializers.CharField(max_length=80, required=False)
    kind = serializers.ChoiceField(choices=JudgeKind.choices, required=False)
    model = serializers.CharField(max_length=200, required=False)
    address = serializers.CharField(
        max_length=300, allow_blank=True, required=False, help_text="For `openai`; it usually ends in /v1."
    )
    region = serializers.CharField(max_length=32, allow_blank=True, required=False, help_text="For `bedrock`.")
    api_version = serializers.CharField(max_length=32, allow_blank=True, required=False, help_text="For Azure OpenAI.")
    temperature = serializers.FloatField(min_value=0, max_value=2, required=False)
    samples = serializers.IntegerField(min_value=1, max_value=MAX_SAMPLES, required=False)
    price_in = serializers.DecimalField(**PRICE, help_text="US dollars per million tokens.")
    price_out = serializers.DecimalField(**PRICE, help_text="US dollars per million tokens.")
    requests_per_minute = serializers.IntegerField(min_value=1, max_value=100_000, allow_null=True, required=False)
    is_tested_automatically = serializers.BooleanField(
        required=False, help_text="Whether tests start by themselves, which costs: after a change, and each month."
    )
    secret = serializers.CharField(
        max_length=4000,
        allow_blank=True,
        required=False,
        write_only=True,
        help_text="API key for the judge’s server. Stored encrypted; an empty one is forgotten, and so is one for "
        "another host.",
    )


class NewJudgeSerializer(JudgeChangeSerializer):
    """A judge to add."""

    name = serializers.CharField(max_length=80)
    kind = serializers.ChoiceField(choices=JudgeKind.choices)
    model = serializers.CharField(max_length=200)


class TrialSerializer(serializers.Serializer[Trial]):
    """One example graded: the exact prompt, the replies as they came, and the verdict or why there is none."""

    system = serializers.CharField(source="prompt.system")
    user = serializers.CharField(source="prompt.user")
    score = serializers.FloatField(source="verdict.score", allow_null=True, default=None)
    distribution = serializers.DictField(
        source="verdict.distribution", child=serializers.FloatField(), allow_null=True, default=None,
        help_text="Probability of each grade.",
    )  # fmt: skip
    basis = serializers.CharField(
        source="verdict.basis", allow_null=True, default=None, help_text="`logprobs` or `samples`."
    )
    reason = serializers.CharField(source="verdict.reason", allow_null=True, default=None)
    raw = serializers.ListField(child=serializers.CharField())
    error_kind = serializers.CharField(
        source="error.kind", allow_null=True, default=None,
        help_text="`throttled`, `timeout`, `unavailable`, `malformed`, `cut_off`, `refused`, `unauthorised` or "
        "`rejected`.",
    )  # fmt: skip
    error_text = serializers.CharField(source="error.text", allow_null=True, default=None)
    tokens_in = serializers.IntegerField(source="usage.tokens_in", allow_null=True)
    tokens_out = serializers.IntegerField(source="usage.tokens_out", allow_null=True)
    cost_usd = serializers.DecimalField(source="usage.cost_usd", max_digits=20, decimal_places=10, allow_null=True)
    latency_ms = serializers.FloatField(source="usage.latency_ms")
