"""Periodic tasks of base models."""

from celery import shared_task

from adapters.operator.services import GOING_ON
from adapters.operator.starting import start_due


@shared_task(name=GOING_ON)
def go_on_with_base_models() -> None:
    """Start what is to be added or checked, and what a process has left."""
    start_due()
