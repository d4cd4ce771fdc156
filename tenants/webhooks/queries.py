"""Reads of webhooks and their deliveries."""

from uuid import UUID

from django.db.models import Count, Q, QuerySet

from rest.errors import NotFound
from tenants.models import DeliveryState, Webhook, WebhookDelivery


def webhooks() -> QuerySet[Webhook]:
    """The active tenant's, oldest first, with how many deliveries `waiting` and `failed`."""
    waiting = Count("deliveries", filter=Q(deliveries__state=DeliveryState.WAITING))
    failed = Count("deliveries", filter=Q(deliveries__state=DeliveryState.FAILED))
    return Webhook.objects.select_related("created_by").annotate(waiting=waiting, failed=failed).order_by("created_at")


def webhook_by_id(webhook_id: UUID) -> Webhook:
    """Raises NotFound."""
    webhook = webhooks().filter(id=webhook_id).first()
    if webhook is None:
        raise NotFound("Webhook not found.")
    return webhook


def deliveries() -> QuerySet[WebhookDelivery]:
    """The active tenant's, newest first, with their events and webhooks."""
    return WebhookDelivery.objects.select_related("event", "webhook")


def delivery_by_id(delivery_id: UUID) -> WebhookDelivery:
    """Raises NotFound."""
    delivery = deliveries().filter(id=delivery_id).first()
    if delivery is None:
        raise NotFound("Delivery not found.")
    return delivery
