"""Periodic tasks of endpoints, and waking the reconciler after a transaction rather than at its next beat."""

import structlog
from celery import shared_task
from django.db import transaction
from kombu.exceptions import OperationalError

from serving.endpoints.alarms import read_alarms
from serving.endpoints.reconciler import reconcile

log = structlog.get_logger(__name__)


@shared_task(name="serving.reconcile_endpoints")
def reconcile_endpoints() -> None:
    """Make every endpoint hold what it should."""
    reconcile()


@shared_task(name="serving.read_alarms")
def read_endpoint_alarms() -> None:
    """Read what the clouds' alarms on endpoints say."""
    read_alarms()


def wake_reconciler() -> None:
    """Run the task once the transaction is committed. A broker that is away only costs the time until the next beat."""
    transaction.on_commit(_publish)


def _publish() -> None:
    try:
        reconcile_endpoints.delay()
    except OperationalError:
        log.warning("broker_unreachable")
