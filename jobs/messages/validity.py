"""Messages that are worth something for so long only, by one clock: the broker's.

Celery's own `expires` compares the clock of the sender with that of the worker. A worker whose clock was a few seconds
ahead dropped every message that woke the jobs, without a word. Here a message sent with the header `valid_seconds`
leaves a key in the broker that lives so long, and the worker that finds no key drops the message.
"""

import time
from typing import Any

import structlog
from celery import Task
from celery.signals import before_task_publish, task_revoked
from django.core.cache import cache
from django_redis.exceptions import ConnectionInterrupted  # type: ignore[import-untyped]

log = structlog.get_logger(__name__)

HEADER = "valid_seconds"
LOG_SECONDS = 60.0


class Drops:
    """Tells of dropped messages once in LOG_SECONDS at most: after a long wait there are thousands."""

    def __init__(self) -> None:
        self._count = 0
        self._told_at: float | None = None

    def add(self, task: str, why: str) -> None:
        self._count += 1
        now = time.monotonic()
        if self._told_at is None or now - self._told_at > LOG_SECONDS:
            log.warning("messages_dropped", task=task, why=why, count=self._count)
            self._count, self._told_at = 0, now


_drops = Drops()


class ValidTask(Task):  # type: ignore[type-arg]
    """The class of every task."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run, unless the message came too late."""
        if getattr(self.request, HEADER, None) and not _is_valid(self.request.id):
            _drops.add(self.name, "it waited too long for a worker; newer messages were sent")
            return None
        return super().__call__(*args, **kwargs)


def valid_for(seconds: int) -> dict[str, Any]:
    """The options of a message that is worth nothing later."""
    return {"headers": {HEADER: seconds}}


def _key(message_id: str | None) -> str:
    return f"message:{message_id}"


def _is_valid(message_id: str | None) -> bool:
    try:
        return bool(cache.delete(_key(message_id)))
    except ConnectionInterrupted:
        # One time too many costs nothing.
        return True


@before_task_publish.connect
def _leave_key(headers: dict[str, Any] | None = None, **_: Any) -> None:
    seconds = (headers or {}).get(HEADER)
    if headers is not None and seconds:
        try:
            cache.set(_key(headers["id"]), True, timeout=seconds)
        except ConnectionInterrupted:
            # The broker is away, as whoever publishes learns next.
            return


@task_revoked.connect
def _tell_of_revoked(sender: Any = None, expired: bool = False, **_: Any) -> None:
    """Celery itself tells of these at a level that nobody reads."""
    _drops.add(getattr(sender, "name", ""), "it expired by this machine's clock" if expired else "it was revoked")
