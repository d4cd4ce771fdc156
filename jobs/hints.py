"""Messages to the workers. They only say where to look: the reconciler finds the same rows when one is lost.

A broker that is away costs those seconds and nothing else, so it is not an error here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import structlog
from celery import current_app
from django.core.cache import cache
from django_redis.exceptions import ConnectionInterrupted  # type: ignore[import-untyped]
from kombu.exceptions import OperationalError

from jobs.messages import valid_for

log = structlog.get_logger(__name__)

HINT_SECONDS = 10
"""A hint that nobody followed by then is dropped: the reconciler has given newer ones."""

_QUEUE_HINTED = "jobs:queue-hinted"


def look_at_queue() -> None:
    """Start what is queued. However many ask at once, one message is under way."""
    with _broker_may_be_away():
        if cache.add(_QUEUE_HINTED, True, timeout=2):
            current_app.send_task("jobs.admit", **valid_for(HINT_SECONDS))


def queue_is_looked_at() -> None:
    """Called before the queue is read: whoever queues a job from now on asks anew."""
    with _broker_may_be_away():
        cache.delete(_QUEUE_HINTED)


def look_at_job(job_id: UUID) -> None:
    """Step one job."""
    with _broker_may_be_away():
        current_app.send_task("jobs.step", (str(job_id),), **valid_for(HINT_SECONDS))


@contextmanager
def _broker_may_be_away() -> Iterator[None]:
    try:
        yield
    except (OperationalError, ConnectionInterrupted):
        log.warning("broker_unreachable")
