"""The daily e-mail to experts for whom answers wait."""

import logging
from datetime import date
from smtplib import SMTPException
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from evaluations.models import Assignment, ReviewDigest, RoundState
from evaluations.reviews.queries import Listed, estimated_cost, listed, rounds_for
from tenants.audit.services import record_event
from tenants.models import Membership, Tenant, User
from tenants.scope import system_scope, tenant_scope

logger = logging.getLogger(__name__)

OPEN = {"round__state": RoundState.OPEN}


def tenants_with_open_rounds() -> list[UUID]:
    """Organisations in which somebody is assigned to an open round."""
    with system_scope():
        return list(Assignment.objects.filter(**OPEN).order_by().values_list("tenant", flat=True).distinct())


def send_digests(*, tenant_id: UUID, today: date | None = None) -> int:
    """Tell each expert of an organisation how many answers wait, once a day at most. Returns how many were told."""
    if not settings.SENDS_EMAIL:
        return 0
    with tenant_scope(tenant_id):
        tenant = Tenant.objects.get(pk=tenant_id)
        assigned = Assignment.objects.filter(**OPEN).values("reviewer")
        members = Membership.objects.filter(user__in=assigned, user__is_active=True).select_related("user")
        people = [one.user for one in members.order_by("user__email")]
        return sum(_tell(tenant, person, today or timezone.localdate()) for person in people)


@transaction.atomic
def want_digest(*, tenant: Tenant, reviewer: User, is_wanted: bool) -> None:
    """Whether this expert gets the e-mail from now on."""
    digest, _ = ReviewDigest.objects.get_or_create(tenant=tenant, reviewer=reviewer)
    before, digest.is_wanted = digest.is_wanted, is_wanted
    digest.save(update_fields=["is_wanted"])
    if before != is_wanted:
        record_event("review_digest.changed", digest, before={"is_wanted": before}, after={"is_wanted": is_wanted})


def is_digest_wanted(reviewer: User) -> bool:
    """It is, until they say otherwise."""
    return not ReviewDigest.objects.filter(reviewer=reviewer, is_wanted=False).exists()


def _tell(tenant: Tenant, person: User, today: date) -> bool:
    found = rounds_for(person, manages=False).filter(state=RoundState.OPEN)
    waiting = [one for one in listed(list(found), person) if one.progress.left]
    if not waiting or not _claimed(tenant, person, today):
        return False
    answers = sum(one.progress.left for one in waiting)
    subject = f"{answers:,} answer{'' if answers == 1 else 's'} wait{'s' if answers == 1 else ''} for you"
    try:
        send_mail(subject, _text(tenant, person, waiting), None, [person.email])
    except (SMTPException, OSError) as error:
        logger.warning("a review digest could not be sent by e-mail: %s", type(error).__name__)
        return False
    return True


def _claimed(tenant: Tenant, person: User, today: date) -> bool:
    """Whether this process is the one to tell them today.

    Stored before anything is sent, so that nobody is told twice; a worker that dies in between costs that day's e-mail.
    """
    with transaction.atomic():
        ReviewDigest.objects.get_or_create(tenant=tenant, reviewer=person)
        due = ReviewDigest.objects.filter(reviewer=person, is_wanted=True).exclude(sent_on=today)
        return due.update(sent_on=today) == 1


def _text(tenant: Tenant, person: User, waiting: list[Listed]) -> str:
    return "\n".join(
        [
            f"Hello {person},",
            "",
            f"{tenant} asks you to grade:",
            "",
            *map(_line, waiting),
            "",
            f"Open them: {settings.SITE_URL.rstrip('/')}{reverse('evaluations:reviews')}",
            "",
            "You get this e-mail once a day at most, while answers wait. You can turn it off on that page.",
        ]
    )


def _line(one: Listed) -> str:
    left = one.progress.left
    minutes = one.progress.minutes_left
    if minutes is None:
        minutes = estimated_cost(left).minutes
    parts = [f"{left:,} answer{'' if left == 1 else 's'}", f"about {minutes:,} minute{'' if minutes == 1 else 's'}"]
    if one.due_on is not None:
        parts.insert(1, f"due {one.due_on.day} {one.due_on:%b %Y}")
    return f"- {one.round.run.dataset_version.dataset.name}: {', '.join(parts)}"
