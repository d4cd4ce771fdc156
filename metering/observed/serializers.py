"""REST: what a cloud counted, and the comparison with the ledger."""

from typing import Any

from rest_framework import serializers


class ComparedHourSerializer(serializers.Serializer[Any]):
    """An hour (UTC). Null is no data."""

    hour = serializers.DateTimeField()
    requests = serializers.IntegerField(help_text="At the gateway.")
    errors = serializers.IntegerField(help_text="At the gateway.")  # type: ignore[assignment]
    p95_ms = serializers.FloatField(allow_null=True, help_text="Of whole requests at the gateway.")
    observed_requests = serializers.IntegerField(allow_null=True)
    observed_errors = serializers.IntegerField(allow_null=True, help_text="4XX and 5XX.")
    observed_p95_ms = serializers.FloatField(
        allow_null=True, help_text="Of the model alone. With several deployments, the highest of theirs."
    )
    difference = serializers.IntegerField(allow_null=True, help_text="Observed requests, less those at the gateway.")
    difference_percent = serializers.FloatField(allow_null=True)
    is_provisional = serializers.BooleanField(help_text="Figures may still come.")


class ObservedLineSerializer(serializers.Serializer[Any]):
    """An hour (UTC) of one deployment, as the cloud counted it. Null is no data; latencies are of the model alone."""

    hour = serializers.DateTimeField(source="row.hour")
    model = serializers.CharField()
    version = serializers.UUIDField(help_text="Adapter version id.")
    deployment = serializers.CharField(source="row.deployment")
    requests = serializers.IntegerField(source="row.requests", allow_null=True)
    errors_4xx = serializers.IntegerField(source="row.errors_4xx", allow_null=True)
    errors_5xx = serializers.IntegerField(source="row.errors_5xx", allow_null=True)
    model_errors = serializers.IntegerField(
        source="row.model_errors", allow_null=True, help_text="Errors of either kind that the model gave."
    )
    p50_ms = serializers.FloatField(source="row.p50_ms", allow_null=True)
    p95_ms = serializers.FloatField(source="row.p95_ms", allow_null=True)
    p99_ms = serializers.FloatField(source="row.p99_ms", allow_null=True)
    mean_ms = serializers.FloatField(source="row.mean_ms", allow_null=True)
    overhead_ms = serializers.FloatField(
        source="row.overhead_ms", allow_null=True, help_text="The cloud’s own mean time on top."
    )
    read_at = serializers.DateTimeField(source="row.read_at")


class ObservedComparisonSerializer(serializers.Serializer[Any]):
    """The gateway’s figures beside the cloud’s, in whole hours. The differences are of the hours with data."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    requests = serializers.IntegerField(help_text="At the gateway.")
    observed_requests = serializers.IntegerField(allow_null=True)
    difference = serializers.IntegerField(allow_null=True)
    difference_percent = serializers.FloatField(allow_null=True)
    hours_without_data = serializers.ListField(
        child=serializers.DateTimeField(), help_text="Hours with requests at the gateway, but none observed."
    )
    hours = ComparedHourSerializer(many=True)
    lines = ObservedLineSerializer(many=True)
