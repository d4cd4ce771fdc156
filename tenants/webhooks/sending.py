"""One attempt to deliver an event: a POST, and what came of it."""

import json
from dataclasses import dataclass
from typing import Self

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from tenants.models import WebhookDelivery
from tenants.outbound.destinations import Reach
from tenants.outbound.errors import OutboundError
from tenants.outbound.posting import post
from tenants.sealing import SealBroken
from tenants.webhooks.addresses import reach_of_webhook
from tenants.webhooks.secrets import signatures

SECONDS = 15.0
"""For the whole exchange."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """`status` is None where no response came; `retry_after` in seconds, where the receiver named a time."""

    status: int | None = None
    error: str = ""
    retry_after: float | None = None

    @property
    def is_received(self) -> bool:
        """Only 2xx means that the receiver has it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """410: the receiver wants no more."""
        return self.status == 410


@dataclass(frozen=True, kw_only=True)
class Message:
    """A signed event, ready to be sent. It needs no database."""

    url: str
    body: bytes
    headers: dict[str, str]
    reach: Reach

    @classmethod
    def of(cls, delivery: WebhookDelivery) -> Self | None:
        """The message of a delivery with its webhook and event. None if its secret can no longer be read."""
        event, now = delivery.event, int(timezone.now().timestamp())
        document = {"type": event.kind, "timestamp": event.created_at, "data": event.data}
        body = json.dumps(document, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":")).encode()
        message_id = f"msg_{event.id.hex}"
        try:
            signature = signatures(delivery.webhook, message_id=message_id, sent_at=now, body=body)
        except SealBroken:
            return None
        headers = {"webhook-id": message_id, "webhook-timestamp": str(now), "webhook-signature": signature}
        url = delivery.webhook.url
        return cls(url=url, body=body, headers={**headers, "User-Agent": "Adapter-Portal"}, reach=reach_of_webhook(url))


def send(message: Message | None) -> Outcome:
    """Send once and wait for the response."""
    if message is None:
        return Outcome(error="The site can no longer read the secret. Replace it.")
    try:
        response = post(message.url, message.body, headers=message.headers, seconds=SECONDS, reach=message.reach)
    except OutboundError as error:
        return Outcome(error=error.text)
    text = "" if 200 <= response.status < 300 else f"The server answered with status {response.status}."
    return Outcome(status=response.status, error=text, retry_after=response.retry_after)
