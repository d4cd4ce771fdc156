"""Wakes the endpoint reconciler after the transaction, rather than at its next beat."""

import structlog
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


def wake_reconciler() -> None:
    """A broker that is away only costs the seconds until the next beat."""
    transaction.on_commit(_publish)


def _publish() -> None:
    from serving.tasks import reconcile_endpoints

    try:
        reconcile_endpoints.delay()
    except OperationalError:
        log.warning("broker_unreachable")
