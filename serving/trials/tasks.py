"""Forgetting what trials kept of callers' requests."""

import datetime as dt

import structlog
from celery import shared_task
from django.conf import settings

from serving.trials.services import forget_copies
from tenants.scope import system_scope

log = structlog.get_logger(__name__)


@shared_task(name="serving.forget_trial_copies")
def forget_trial_copies() -> None:
    """Delete copies of requests once their trial ended TRIAL_COPY_DAYS ago; never where that is 0."""
    if settings.TRIAL_COPY_DAYS:
        with system_scope():
            if forgotten := forget_copies(older_than=dt.timedelta(days=settings.TRIAL_COPY_DAYS)):
                log.info("trial_copies_forgotten", copies=forgotten)
