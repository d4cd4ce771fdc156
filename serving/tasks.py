"""Celery's part."""

from celery import shared_task

from serving.reconciler import reconcile


@shared_task(name="serving.reconcile_endpoints")
def reconcile_endpoints() -> None:
    """Make every endpoint hold what it should."""
    reconcile()
