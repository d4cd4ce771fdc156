"""Celery's part."""

from celery import shared_task

from corpora.uploads.left_behind import clear_abandoned_uploads, go_on_with_whole_uploads


@shared_task(name="corpora.go_on_with_uploads")
def go_on_with_uploads() -> None:
    """Go on with uploads that came whole while storage did not answer."""
    go_on_with_whole_uploads()


@shared_task(name="corpora.clear_uploads")
def clear_uploads() -> None:
    """Clear away uploads that nobody goes on with."""
    clear_abandoned_uploads()
