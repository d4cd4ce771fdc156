"""Celery tasks of tenants."""

from celery import shared_task
from django.core.cache import cache

from tenants.scope import system_scope
from tenants.webhooks.delivering import deliver_due
from tenants.webhooks.sending import SECONDS
from tenants.webhooks.services import forget_old_events

DELIVER_SECONDS = 20.0
LOCK = "webhooks:delivering"


@shared_task(name="tenants.deliver_webhooks")
def deliver_webhooks() -> None:
    """Send what waits, unless another worker is at it."""
    if cache.add(LOCK, True, timeout=int(DELIVER_SECONDS + 2 * SECONDS)):
        try:
            deliver_due(seconds=DELIVER_SECONDS)
        finally:
            cache.delete(LOCK)


@shared_task(name="tenants.forget_webhook_events")
def forget_webhook_events() -> None:
    """Delete old events."""
    with system_scope():
        forget_old_events()
