"""News about judges has their licences assessed, once the transaction that made it is committed.

A message that is lost costs a day at most: the nightly task assesses all of them.
"""

from functools import partial
from uuid import UUID

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)

TASK = "evaluations.assess_licences"


def judges_have_news(tenant_id: UUID) -> None:
    """Listens to `evaluations.judging.news`."""
    transaction.on_commit(partial(_send, tenant_id))


def _send(tenant_id: UUID) -> None:
    try:
        current_app.send_task(TASK, (str(tenant_id),))
    except OperationalError:
        log.warning("broker_unreachable")
