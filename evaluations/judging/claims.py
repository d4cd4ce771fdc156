"""Two workers do not ask the same at once: whoever claims a question first asks it.

Claims are kept in the cache for a while, so that a worker that died blocks nothing for long. The stored verdict is what
counts: without a cache a call may be paid twice, and nothing else happens.
"""

import structlog
from django.core.cache import cache
from django_redis.exceptions import ConnectionInterrupted  # type: ignore[import-untyped]

from tenants.scope import active_tenant_id

log = structlog.get_logger(__name__)

CLAIM_SECONDS = 180
"""Longer than most calls with their attempts take."""


def claim(key: str) -> bool:
    """Whether nobody else asks this now. A claim that led to a verdict is left to expire, for those about to look."""
    try:
        return bool(cache.add(_name(key), True, timeout=CLAIM_SECONDS))
    except ConnectionInterrupted:
        log.warning("cache_unreachable")
        return True


def release(key: str) -> None:
    """Let others ask."""
    try:
        cache.delete(_name(key))
    except ConnectionInterrupted:
        log.warning("cache_unreachable")


def _name(key: str) -> str:
    return f"judging:{active_tenant_id()}:{key}"
