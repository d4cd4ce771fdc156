"""Delivers what waits: claims due deliveries, sends them side by side, and writes down what came of each.

A claim is a lease: a worker that dies leaves its deliveries to be sent again when that ends. So an event is sent at
least once, and its receiver knows a repeated one by its ID.
"""

import datetime as dt
import random
import time
from collections.abc import Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from tenants.models import DeliveryState, Webhook, WebhookDelivery
from tenants.scope import system_scope, tenant_scope
from tenants.webhooks.sending import SECONDS, Message, Outcome, send
from tenants.webhooks.services import pause_webhook

log = structlog.get_logger(__name__)

THREADS = 8
LEASE = dt.timedelta(seconds=4 * SECONDS)
DELAYS = [dt.timedelta(seconds=seconds) for seconds in (5, 60, 300, 1800, 7200, 21600, 43200, 86400, 86400)]
"""Before each further attempt: three days in all."""
GIVEN_UP = "Nothing was received for three days."
GONE = "The receiver answered with status 410: it wants no more events."


def deliver_due(*, seconds: float) -> int:
    """Send what is due, and claim nothing more after `seconds`. Returns how many attempts were made.

    Each webhook has one delivery on its way at a time, so a slow receiver holds up only itself.
    """
    until, count = time.monotonic() + seconds, 0
    running: dict[Future[Outcome], WebhookDelivery] = {}
    with ThreadPoolExecutor(THREADS) as pool:
        while True:
            if time.monotonic() < until and len(running) < THREADS:
                busy = {delivery.webhook_id for delivery in running.values()}
                for delivery in _claimed(THREADS - len(running), busy):
                    running[pool.submit(send, Message.of(delivery))] = delivery
            if not running:
                return count
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                _record(running.pop(future), future.result())
                count += 1


def _claimed(most: int, busy: Collection[UUID]) -> Sequence[WebhookDelivery]:
    """The oldest due delivery of each webhook that is not busy."""
    now = timezone.now()
    with system_scope(), transaction.atomic():
        due = WebhookDelivery.objects.filter(state=DeliveryState.WAITING, due_at__lte=now)
        first = due.exclude(webhook__in=busy).order_by("webhook_id", "due_at").distinct("webhook_id")
        oldest = sorted(first.values_list("due_at", "id"))[:most]
        rows = due.filter(id__in=[key for _, key in oldest]).select_for_update(skip_locked=True)
        claimed = WebhookDelivery.objects.filter(id__in=list(rows.values_list("id", flat=True)))
        claimed.update(due_at=now + LEASE, tried_at=now, attempts=F("attempts") + 1)
        return list(claimed.select_related("webhook", "event"))


@transaction.atomic
def _record(delivery: WebhookDelivery, outcome: Outcome) -> None:
    """What came of an attempt. Whatever was changed or deleted meanwhile is left alone."""
    with tenant_scope(delivery.tenant_id):
        webhook = Webhook.objects.select_for_update().filter(id=delivery.webhook_id).first()
        row = WebhookDelivery.objects.select_for_update().filter(id=delivery.id).first()
        if webhook is None or row is None or row.state != DeliveryState.WAITING:
            return
        row.status, row.error_text = outcome.status, outcome.error[:300]
        if outcome.is_received:
            row.state, row.due_at = DeliveryState.DELIVERED, None
            Webhook.objects.filter(id=webhook.id).update(failing_since=None)
        else:
            log.info("webhook_not_received", webhook=str(webhook.id), status=outcome.status, attempts=row.attempts)
            _fail(webhook, row, outcome)
        row.save(update_fields=["state", "due_at", "status", "error_text"])
        if row.state == DeliveryState.FAILED and _has_ended(webhook, outcome):
            pause_webhook(webhook=webhook, reason=GONE if outcome.is_gone else GIVEN_UP)


def _fail(webhook: Webhook, row: WebhookDelivery, outcome: Outcome) -> None:
    now = timezone.now()
    webhook.failing_since = webhook.failing_since or now
    Webhook.objects.filter(id=webhook.id, failing_since=None).update(failing_since=now)
    if outcome.is_gone or row.attempts > len(DELAYS):
        row.state, row.due_at = DeliveryState.FAILED, None
        return
    delay = DELAYS[row.attempts - 1] * random.uniform(1.0, 1.2)  # noqa: S311
    row.due_at = now + max(delay, dt.timedelta(seconds=outcome.retry_after or 0))


def _has_ended(webhook: Webhook, outcome: Outcome) -> bool:
    """Whether to stop sending: the receiver says so, or has received nothing for as long as one event was tried."""
    since = webhook.failing_since or timezone.now()
    return outcome.is_gone or timezone.now() - since >= sum(DELAYS, dt.timedelta())
