"""Celery's part."""

from celery import shared_task

from metering.ledger.collector import collect


@shared_task(name="metering.collect_invocations")
def collect_invocations() -> None:
    """Move what the ledgers say into the database."""
    collect()
