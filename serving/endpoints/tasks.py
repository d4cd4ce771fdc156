"""Periodic tasks of endpoints."""

from celery import shared_task

from serving.endpoints.alarms import read_alarms
from serving.endpoints.reconciler import reconcile
from serving.endpoints.site_engines import ensure_site_engines


@shared_task(name="serving.reconcile_endpoints")
def reconcile_endpoints() -> None:
    """Make every endpoint hold what it should, those of new base models too."""
    ensure_site_engines()
    reconcile()


@shared_task(name="serving.read_alarms")
def read_endpoint_alarms() -> None:
    """Read what the clouds' alarms on endpoints say."""
    read_alarms()
