"""Webhooks, the events they hear of, and each delivery of one to the other."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from tenants.isolation import TenantForeignKey
from tenants.models.people import User
from tenants.models.rows import TenantModel


class Webhook(TenantModel):
    """An address of an organisation's that hears of what happens in it.

    `kinds` are names of `tenants.webhooks.kinds`; without any, it hears of all. Secrets are sealed. The previous one
    signs too until `previous_until`.
    """

    url = models.CharField(max_length=500)
    kinds = models.JSONField(default=list)
    sealed_secret = models.TextField()
    sealed_previous = models.TextField(blank=True)
    previous_until = models.DateTimeField(null=True)
    is_paused = models.BooleanField(default=False)
    pause_reason = models.CharField(max_length=200, blank=True, help_text="empty: a person paused it")
    failing_since = models.DateTimeField(null=True, help_text="when the first of the last deliveries failed")
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ("created_at",)

    def __str__(self) -> str:
        return self.url


class WebhookEvent(TenantModel):
    """Something that happened, as webhooks are told. Kept for a month, so that it can be sent again."""

    kind = models.CharField(max_length=60)
    data = models.JSONField(encoder=DjangoJSONEncoder)

    class Meta:
        ordering = ("-created_at",)
        indexes = (models.Index(fields=("created_at",), name="webhook_event_age"),)

    def __str__(self) -> str:
        return self.kind


class DeliveryState(models.TextChoices):
    """Where a delivery is."""

    WAITING = "waiting", "Waiting"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Failed"


class WebhookDelivery(TenantModel):
    """One event on its way to one webhook. While it is being sent, `due_at` is when another worker may try."""

    webhook = TenantForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    event = TenantForeignKey(WebhookEvent, models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=9, choices=DeliveryState, default=DeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, help_text="null: it has ended")
    tried_at = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True, help_text="of the last response")
    error_text = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (models.UniqueConstraint(fields=("tenant", "webhook", "event"), name="webhook_delivery_once"),)
        indexes = (
            models.Index(fields=("due_at",), name="webhook_delivery_due", condition=models.Q(state="waiting")),
            models.Index(fields=("tenant", "event"), name="webhook_delivery_of_event"),
        )

    def __str__(self) -> str:
        return f"{self.event_id} to {self.webhook_id}"
