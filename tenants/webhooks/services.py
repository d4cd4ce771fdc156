"""Every write to webhooks, and the one function that tells them of an event."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import timezone

from tenants.audit.services import record_event
from tenants.models import DeliveryState, Tenant, User, Webhook, WebhookDelivery, WebhookEvent
from tenants.webhooks import secrets
from tenants.webhooks.addresses import check_address
from tenants.webhooks.errors import Paused, TooManyWebhooks, UnknownKind
from tenants.webhooks.kinds import TEST, is_kind

MOST_WEBHOOKS = 10
MOST_BYTES = 20_000
"""Of an event, as Standard Webhooks advises."""
KEPT = dt.timedelta(days=30)
ROWS_AT_ONCE = 5_000


@transaction.atomic
def publish(kind: str, data: Mapping[str, Any]) -> None:
    """Tell the active tenant's webhooks of an event. Call it in the transaction of what it tells of.

    Sent at least once, always with the same ID. Nothing is stored where no webhook listens.
    """
    if not is_kind(kind):
        raise ValueError(f"no kind of event is registered as {kind!r}")
    if len(json.dumps(data, cls=DjangoJSONEncoder)) > MOST_BYTES:
        raise ValueError(f"the data of {kind} is too large for a webhook")
    listening = [one for one in Webhook.objects.filter(is_paused=False) if not one.kinds or kind in one.kinds]
    if listening:
        _send(WebhookEvent.objects.create(kind=kind, data=dict(data)), listening)


@transaction.atomic
def create_webhook(
    *, tenant: Tenant, url: str, kinds: Iterable[str] = (), created_by: User | None = None
) -> tuple[Webhook, str]:
    """Add a webhook. Returns it and its secret. Raises WrongAddress, UnknownKind or TooManyWebhooks."""
    address, chosen = check_address(url), _checked(kinds)
    # Two at once would each see room for one more.
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    if Webhook.objects.count() >= MOST_WEBHOOKS:
        raise TooManyWebhooks(f"There can be {MOST_WEBHOOKS} webhooks. Delete one first.")
    secret = secrets.new_secret()
    webhook = Webhook.objects.create(
        url=address, kinds=chosen, sealed_secret=secrets.sealed(secret, tenant_id=tenant.pk), created_by=created_by
    )
    record_event("webhook.created", webhook, after={"url": address, "events": chosen})
    return webhook, secret


@transaction.atomic
def change_webhook(*, webhook: Webhook, url: str, kinds: Iterable[str]) -> Webhook:
    """Send elsewhere, or other events, from now on. Raises WrongAddress or UnknownKind."""
    webhook = _locked(webhook)
    before = {"url": webhook.url, "events": webhook.kinds}
    webhook.url, webhook.kinds = check_address(url), _checked(kinds)
    after = {"url": webhook.url, "events": webhook.kinds}
    if before != after:
        webhook.save(update_fields=["url", "kinds"])
        record_event("webhook.changed", webhook, before=before, after=after)
    return webhook


@transaction.atomic
def replace_secret(*, webhook: Webhook) -> str:
    """A new secret. The one before signs too for a day, so that the receiver can change over."""
    webhook, secret = _locked(webhook), secrets.new_secret()
    webhook.sealed_previous, webhook.previous_until = webhook.sealed_secret, timezone.now() + secrets.ROTATION
    webhook.sealed_secret = secrets.sealed(secret, tenant_id=webhook.tenant_id)
    webhook.save(update_fields=["sealed_secret", "sealed_previous", "previous_until"])
    record_event("webhook.secret_replaced", webhook)
    return secret


@transaction.atomic
def pause_webhook(*, webhook: Webhook, reason: str = "") -> Webhook:
    """Send nothing more; what waits is not sent. `reason` is empty if a person does it."""
    webhook = _locked(webhook)
    if not webhook.is_paused:
        webhook.is_paused, webhook.pause_reason = True, reason
        webhook.save(update_fields=["is_paused", "pause_reason"])
        waiting = WebhookDelivery.objects.filter(webhook=webhook, state=DeliveryState.WAITING)
        waiting.update(state=DeliveryState.FAILED, due_at=None, error_text="The webhook was paused.")
        record_event("webhook.paused", webhook, after={"reason": reason})
    return webhook


@transaction.atomic
def resume_webhook(*, webhook: Webhook) -> Webhook:
    """Send what happens from now on; what failed can be sent again."""
    webhook = _locked(webhook)
    if webhook.is_paused:
        webhook.is_paused, webhook.pause_reason, webhook.failing_since = False, "", None
        webhook.save(update_fields=["is_paused", "pause_reason", "failing_since"])
        record_event("webhook.resumed", webhook)
    return webhook


@transaction.atomic
def delete_webhook(*, webhook: Webhook) -> None:
    """Delete it with the record of its deliveries."""
    record_event("webhook.deleted", webhook, before={"url": webhook.url})
    webhook.delete()


@transaction.atomic
def send_test(*, webhook: Webhook) -> WebhookDelivery:
    """Send a test event to this webhook alone. Raises Paused."""
    webhook = _active(webhook)
    [delivery] = _send(WebhookEvent.objects.create(kind=TEST.name, data={"webhook": str(webhook.id)}), [webhook])
    return delivery


@transaction.atomic
def send_again(*, delivery: WebhookDelivery) -> None:
    """Send an event once more, with the ID it had. Raises Paused. One that waits is sent now."""
    _active(delivery.webhook)
    WebhookDelivery.objects.filter(id=delivery.id).update(
        state=DeliveryState.WAITING, attempts=0, due_at=timezone.now()
    )


def forget_old_events() -> None:
    """Delete events, with their deliveries, that are older than a month. Runs in the system scope."""
    before = timezone.now() - KEPT
    while found := list(WebhookEvent.objects.filter(created_at__lt=before).values_list("id", flat=True)[:ROWS_AT_ONCE]):
        WebhookEvent.objects.filter(id__in=found).delete()


def _send(event: WebhookEvent, webhooks: Iterable[Webhook]) -> list[WebhookDelivery]:
    now = timezone.now()
    return WebhookDelivery.objects.bulk_create(
        WebhookDelivery(tenant_id=event.tenant_id, webhook=one, event=event, due_at=now) for one in webhooks
    )


def _checked(kinds: Iterable[str]) -> list[str]:
    chosen = sorted(set(kinds))
    if wrong := [name for name in chosen if not is_kind(name)]:
        raise UnknownKind(f"There is no event “{wrong[0][:60]}”.", field="events")
    return chosen


def _locked(webhook: Webhook) -> Webhook:
    return Webhook.objects.select_for_update().get(pk=webhook.pk)


def _active(webhook: Webhook) -> Webhook:
    webhook = _locked(webhook)
    if webhook.is_paused:
        raise Paused("The webhook is paused. Resume it first.")
    return webhook
