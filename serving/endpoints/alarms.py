"""Reads what clouds' alarms on endpoints say, into rows for the operator's pages."""

from collections.abc import Sequence

import structlog
from django.db import transaction
from django.utils import timezone

from serving.backends.alarms import CloudAlarm
from serving.backends.errors import EndpointError
from serving.endpoints.queries import EndpointNotSetUp, backend_of
from serving.models import Endpoint, EndpointAlarm

log = structlog.get_logger(__name__)


def read_alarms() -> None:
    """Ask every endpoint that serves. One whose cloud does not answer keeps what was read before."""
    for endpoint in Endpoint.objects.serving():
        try:
            _note(endpoint, backend_of(endpoint).alarms())
        except EndpointError as error:
            log.warning("alarms_not_read", endpoint=endpoint.name, code=error.code)
        except EndpointNotSetUp as error:
            log.error("endpoint_not_set_up", error=str(error))
    EndpointAlarm.objects.exclude(endpoint__in=Endpoint.objects.serving()).delete()


@transaction.atomic
def _note(endpoint: Endpoint, found: Sequence[CloudAlarm]) -> None:
    now = timezone.now()
    EndpointAlarm.objects.bulk_create(
        [
            EndpointAlarm(
                endpoint=endpoint, name=one.name, text=one.text, state=one.state.value, since=one.since, read_at=now
            )
            for one in found
        ],
        update_conflicts=True,
        unique_fields=["endpoint", "name"],
        update_fields=["text", "state", "since", "read_at"],
    )
    EndpointAlarm.objects.filter(endpoint=endpoint).exclude(name__in=[one.name for one in found]).delete()
