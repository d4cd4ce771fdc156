"""Tells rooms above when there is news about a judge: a test of it, a judging by it, or experts' grades beside its own.

They register here in an `AppConfig.ready`; this room knows none of them.
"""

from collections.abc import Callable
from uuid import UUID

Listener = Callable[[UUID], None]

_listeners: list[Listener] = []


def register(listener: Listener) -> None:
    """Call `listener` with the tenant's id whenever there is news about any of its judges."""
    if listener not in _listeners:
        _listeners.append(listener)


def announce(tenant_id: UUID) -> None:
    """Call it in the transaction of the change."""
    for listener in _listeners:
        listener(tenant_id)
