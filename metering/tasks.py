"""Periodic tasks of metering."""

from celery import shared_task

from metering.ledger.collector import collect


@shared_task(name="metering.collect_invocations")
def collect_invocations() -> None:
    """Move new ledger records into the database."""
    collect()
