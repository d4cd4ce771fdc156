"""Webhooks and deliveries in REST."""

from typing import Any

from rest_framework import serializers

from tenants.models import Webhook, WebhookDelivery
from tenants.webhooks.addresses import LONGEST


class WebhookBodySerializer(serializers.Serializer[Any]):
    """Where to send which events."""

    url = serializers.CharField(max_length=LONGEST)
    events = serializers.ListField(
        child=serializers.CharField(max_length=60), required=False, default=list, help_text="Empty for all."
    )


class WebhookSerializer(serializers.ModelSerializer[Webhook]):
    """`pause_reason` is empty if a person paused it. `waiting` and `failed` count deliveries."""

    events = serializers.ListField(source="kinds", child=serializers.CharField())
    waiting = serializers.IntegerField(default=0)
    failed = serializers.IntegerField(default=0)

    class Meta:
        model = Webhook
        fields = (
            "id", "url", "events", "is_paused", "pause_reason", "failing_since", "waiting", "failed", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class SecretSerializer(serializers.Serializer[Any]):
    """Shown only now."""

    secret = serializers.CharField(help_text="`whsec_` and base64, for the libraries of Standard Webhooks.")


class NewWebhookSerializer(WebhookSerializer):
    """With the secret, which is shown only now."""

    secret = serializers.CharField(help_text="`whsec_` and base64.")

    class Meta:
        model = Webhook
        fields = (*WebhookSerializer.Meta.fields, "secret")
        read_only_fields = fields


class DeliverySerializer(serializers.ModelSerializer[WebhookDelivery]):
    """`status` is that of the last response, null if there was none. `due_at` is when it is tried next."""

    type = serializers.CharField(source="event.kind")
    data = serializers.JSONField(source="event.data")  # type: ignore[assignment]
    error = serializers.CharField(source="error_text")

    class Meta:
        model = WebhookDelivery
        fields = (
            "id", "webhook", "event", "type", "data", "state", "attempts", "status", "error", "created_at", "tried_at",
            "due_at",
        )  # fmt: skip
        read_only_fields = fields
