"""Celery tasks of evaluations."""

from celery import shared_task

from evaluations.qualification.services import start_due_qualifications


@shared_task(name="evaluations.start_due_tests")
def start_due_tests() -> None:
    """Test judges that have a new version, and each one again after a month."""
    start_due_qualifications()
