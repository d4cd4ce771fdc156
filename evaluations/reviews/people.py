"""Who can grade: the members of an organisation."""

from collections.abc import Sequence

from rest.errors import PortalError
from tenants.models import Membership, User
from tenants.permissions import Action


def usual_reviewers() -> list[User]:
    """All who only review in the active tenant, or all its members if there are none."""
    members = list(Membership.objects.select_related("user").order_by("user__email"))
    return [one.user for one in members if not one.may(Action.REVIEWS_MANAGE)] or [one.user for one in members]


def members_named(emails: Sequence[str]) -> list[User]:
    """Members by e-mail address. Raises PortalError for one who is none."""
    by_email = {one.user.email: one.user for one in Membership.objects.select_related("user")}
    wanted = [email.lower() for email in emails]
    unknown = [email for email in wanted if email not in by_email]
    if unknown:
        raise PortalError(
            f"{unknown[0]} is not a member of your organisation. Invite them first.",
            code="review:reviewers",
            field="reviewers",
        )
    return [by_email[email] for email in wanted]
