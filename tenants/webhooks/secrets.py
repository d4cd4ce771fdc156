"""Secrets that deliveries are signed with, and the signature: Standard Webhooks, https://www.standardwebhooks.com."""

import base64
import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Iterator
from uuid import UUID

from django.utils import timezone

from tenants.models import Webhook
from tenants.sealing import seal, unseal

PREFIX = "whsec_"
SECRET_BYTES = 24
BOUND_TO = "webhooks"
ROTATION = dt.timedelta(hours=24)
"""How long a replaced secret goes on signing."""


def new_secret() -> str:
    """`whsec_` and base64, as receivers' libraries take it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sealed(secret: str, *, tenant_id: UUID) -> str:
    """The secret as it is stored."""
    return seal(secret, tenant_id=tenant_id, host=BOUND_TO)


def secret_of(webhook: Webhook) -> str:
    """Raises SealBroken where the site no longer has the key it was sealed with."""
    return unseal(webhook.sealed_secret, tenant_id=webhook.tenant_id, host=BOUND_TO)


def signatures(webhook: Webhook, *, message_id: str, sent_at: int, body: bytes) -> str:
    """The header `webhook-signature`: one signature for each secret that counts. Raises SealBroken."""
    signed = b".".join((message_id.encode(), str(sent_at).encode(), body))
    return " ".join(f"v1,{_signature(secret, signed)}" for secret in _secrets(webhook))


def _secrets(webhook: Webhook) -> Iterator[str]:
    yield secret_of(webhook)
    if webhook.sealed_previous and webhook.previous_until and webhook.previous_until > timezone.now():
        yield unseal(webhook.sealed_previous, tenant_id=webhook.tenant_id, host=BOUND_TO)


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
