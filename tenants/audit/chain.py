"""The hash that ties an audit event to the one before it.

HMAC-SHA256 with the site's SECRET_KEY over the event and the previous hash: a later change of any row shows, and who
can only write to the database cannot make it fit.
"""

import json
from typing import Any

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from tenants.models import AuditEvent

FIRST = "0" * 64
SALT = "tenants.audit"

FIELDS = (
    "sequence",
    "actor_kind",
    "actor_id",
    "actor_name",
    "action",
    "target_type",
    "target_id",
    "target_name",
    "before",
    "after",
    "request_id",
    "previous_hash",
)


def chained(event: AuditEvent, secret: str | None = None) -> str:
    """The event's hash, as 64 hexadecimal digits."""
    content = {name: getattr(event, name) for name in FIELDS}
    content |= {"id": str(event.id), "tenant": str(event.tenant_id), "at": event.at.timestamp()}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return salted_hmac(SALT, text, secret=secret, algorithm="sha256").hexdigest()


def is_intact(event: AuditEvent) -> bool:
    """Whether the event is as it was written, with today's SECRET_KEY or an earlier one (SECRET_KEY_FALLBACKS)."""
    secrets: list[Any] = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return any(constant_time_compare(chained(event, secret), event.hash) for secret in secrets)
