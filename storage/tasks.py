"""Celery tasks of storage."""

from celery import shared_task

from storage.removal import remove_due_objects


@shared_task(name="storage.remove_objects")
def remove_objects() -> None:
    """Remove the objects that could not be removed before, and those that no row ever referred to."""
    remove_due_objects()
