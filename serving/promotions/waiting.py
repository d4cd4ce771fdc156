"""What a promotion waits for before it switches: its time, and the end of a freeze.

Its job sleeps meanwhile.
"""

import datetime as dt

from django.db import transaction
from django.utils import timezone

from evaluations.gates.promotion import clear_for_promotion, decision_for_promotion
from jobs.outcomes import JobError, Outcome, Running
from serving.freezes.errors import Frozen
from serving.freezes.queries import freeze_at
from serving.freezes.texts import frozen_text, moment_text
from serving.models import Promotion

LONGEST_SLEEP = dt.timedelta(hours=1)
"""A job that falls asleep just as its freeze is ended misses the call, and wakes by itself."""

SCHEDULED = "promotion:scheduled"
WAITS = frozenset({SCHEDULED, Frozen.code})
"""The error codes of jobs that wait."""


def waiting(promotion: Promotion) -> Outcome | None:
    """Why the promotion's job waits now, None if it need not. Rollbacks never wait."""
    if promotion.is_rollback:
        return None
    if moment := promotion.scheduled_for:
        text = f"Scheduled for {moment_text(moment)}."
        return _sleep(moment, JobError(code=SCHEDULED, text=text), phase="scheduled")
    if freeze := freeze_at(promotion.version.adapter, timezone.now()):
        return _sleep(freeze.ends_at, JobError(code=Frozen.code, text=frozen_text(freeze)), phase="frozen")
    return None


def check_again(promotion: Promotion) -> None:
    """Ask at the time of a scheduled promotion what was asked when it was made: whether its decision passes.

    Call it outside a transaction. Raises Conflict: gate:no_decision, gate:refused, gate:rejected.
    """
    if promotion.not_before is None:
        return
    person = promotion.created_by
    decision = decision_for_promotion(
        tenant=promotion.tenant, version=promotion.version, asked_by=person, on_newest=True
    )
    with transaction.atomic():
        clear_for_promotion(decision, asked_by=person)


def _sleep(until: dt.datetime, why: JobError, *, phase: str) -> Running:
    left = min(until - timezone.now(), LONGEST_SLEEP)
    return Running(after=max(left.total_seconds(), 1.0), waits_for=why, phase=phase)
