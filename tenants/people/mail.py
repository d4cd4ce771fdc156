"""E-mails to people, where the site is set up to send any."""

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail

from tenants.models import Invitation

logger = logging.getLogger(__name__)


def send_invitation(invitation: Invitation, link: str) -> bool:
    """Send the link to the invited address. False if the site sends no e-mail, or could not send this one."""
    if not settings.SENDS_EMAIL:
        return False
    inviter = invitation.invited_by or "An owner"
    text = (
        f"{inviter} invites you to join {invitation.tenant.name} on Adapter Portal.\n\n"
        f"Open this link to accept. It works once, until {invitation.expires_at:%d %b %Y, %H:%M} UTC:\n{link}\n\n"
        "If you did not expect this e-mail, ignore it."
    )
    try:
        send_mail(f"Join {invitation.tenant.name} on Adapter Portal", text, None, [invitation.email])
    except (SMTPException, OSError) as error:
        logger.warning("an invitation could not be sent by e-mail: %s", type(error).__name__)
        return False
    return True
