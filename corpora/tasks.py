"""Celery tasks of uploads."""

from celery import shared_task

from corpora.uploads.left_behind import clear_abandoned_uploads, go_on_with_whole_uploads


@shared_task(name="corpora.go_on_with_uploads")
def go_on_with_uploads() -> None:
    """Finish complete uploads that could not be stored because storage was unavailable."""
    go_on_with_whole_uploads()


@shared_task(name="corpora.clear_uploads")
def clear_uploads() -> None:
    """Remove abandoned uploads."""
    clear_abandoned_uploads()
