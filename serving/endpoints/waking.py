"""Waking the reconciler after a transaction rather than at its next beat."""

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


def wake_reconciler() -> None:
    """Run the task once the transaction is committed. A broker that is away only costs the time until the next beat."""
    transaction.on_commit(_publish)


def _publish() -> None:
    try:
        current_app.send_task("serving.reconcile_endpoints")
    except OperationalError:
        log.warning("broker_unreachable")
