"""Periodic tasks of metering."""

from celery import shared_task

from metering.ledger.collector import collect
from metering.observed.services import read_observed


@shared_task(name="metering.collect_invocations")
def collect_invocations() -> None:
    """Move new ledger records into the database."""
    collect()


@shared_task(name="metering.read_observed")
def read_observed_usage() -> None:
    """Read what a cloud counted of adapters and endpoints."""
    read_observed()
