"""Celery tasks of evaluations."""

from uuid import UUID

from celery import shared_task

from evaluations.licences.services import assess_all_licences, start_nightly_rejudgings
from evaluations.licences.services import assess_licences as assess
from evaluations.qualification.services import start_due_qualifications
from evaluations.reviews.digest import send_digests, tenants_with_open_rounds


@shared_task(name="evaluations.start_due_tests")
def start_due_tests() -> None:
    """Test judges that have a new version, and each one again after a month."""
    start_due_qualifications()


@shared_task(name="evaluations.assess_licences")
def assess_licences(tenant_id: str) -> None:
    """Work out an organisation's licences anew, after news about its judges."""
    assess(tenant_id=UUID(tenant_id))


@shared_task(name="evaluations.send_review_digests")
def send_review_digests(tenant_id: str = "") -> None:
    """Every morning: tell experts how many answers wait for them, each organisation in a task of its own."""
    if tenant_id:
        send_digests(tenant_id=UUID(tenant_id))
        return
    for found in tenants_with_open_rounds():
        send_review_digests.delay(str(found))


@shared_task(name="evaluations.look_after_licences")
def look_after_licences() -> None:
    """Every night: assess all licences, and have licensed judges grade their frozen answers again."""
    assess_all_licences()
    start_nightly_rejudgings()
