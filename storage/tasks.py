"""Celery's part."""

from celery import shared_task

from storage.removal import remove_due_objects


@shared_task(name="storage.remove_objects")
def remove_objects() -> None:
    """Remove the objects that storage did not let go of before, and those that nothing came of."""
    remove_due_objects()
