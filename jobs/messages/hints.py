"""Messages that wake the workers. They are only hints: if one is lost, the reconciler finds the same rows.

An unavailable broker costs a few seconds and nothing else, so it is not an error here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import structlog
from celery import current_app
from django.core.cache import cache
from django_redis.exceptions import ConnectionInterrupted  # type: ignore[import-untyped]
from kombu.exceptions import OperationalError

from jobs.messages.validity import valid_for

log = structlog.get_logger(__name__)

HINT_SECONDS = 10
"""A hint not followed by then is dropped, because the reconciler has sent newer ones."""

_QUEUE_HINTED = "jobs:queue-hinted"


def look_at_queue() -> None:
    """Ask a worker to start queued jobs. At most one such message is in flight, whatever the number of callers."""
    with _broker_may_be_away():
        if cache.add(_QUEUE_HINTED, True, timeout=2):
            current_app.send_task("jobs.admit", **valid_for(HINT_SECONDS))


def queue_is_looked_at() -> None:
    """Call this before reading the queue, so that a job queued from now on sends a new message."""
    with _broker_may_be_away():
        cache.delete(_QUEUE_HINTED)


def look_at_job(job_id: UUID) -> None:
    """Ask a worker to step one job."""
    with _broker_may_be_away():
        current_app.send_task("jobs.step", (str(job_id),), **valid_for(HINT_SECONDS))


@contextmanager
def _broker_may_be_away() -> Iterator[None]:
    try:
        yield
    except (OperationalError, ConnectionInterrupted):
        log.warning("broker_unreachable")
