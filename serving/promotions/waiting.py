"""What a promotion waits for before it switches. Its job sleeps meanwhile, and holds no slot."""

import datetime as dt

from django.utils import timezone

from jobs.outcomes import JobError, Outcome, Running
from serving.freezes.errors import Frozen
from serving.freezes.queries import freeze_at
from serving.freezes.texts import frozen_text
from serving.models import Promotion

LONGEST_SLEEP = dt.timedelta(hours=1)
"""A job that falls asleep just as its freeze is ended misses the call, and wakes by itself."""

WAITS = frozenset({Frozen.code})
"""The error codes of jobs that wait."""


def waiting(promotion: Promotion) -> Outcome | None:
    """Why the promotion's job waits now, None if it need not. Rollbacks never wait."""
    if promotion.is_rollback:
        return None
    if freeze := freeze_at(promotion.version.adapter, timezone.now()):
        return _sleep(freeze.ends_at, JobError(code=Frozen.code, text=frozen_text(freeze)), phase="frozen")
    return None


def _sleep(until: dt.datetime, why: JobError, *, phase: str) -> Running:
    left = min(until - timezone.now(), LONGEST_SLEEP)
    return Running(after=max(left.total_seconds(), 1.0), waits_for=why, phase=phase)
