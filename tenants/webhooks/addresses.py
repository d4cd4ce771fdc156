"""Which addresses a webhook may have. The servers behind it are checked with each delivery."""

import re
from urllib.parse import urlsplit

from django.conf import settings

from tenants.outbound.destinations import Reach, reach_of
from tenants.webhooks.errors import WrongAddress

LONGEST = 500
VISIBLE = re.compile(r"[\x21-\x7e]+")


def check_address(url: str) -> str:
    """The address without white space around it. Raises WrongAddress."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        is_named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_named = False
    if not is_named or parts.scheme not in ("http", "https") or len(url) > LONGEST or not VISIBLE.fullmatch(url):
        raise WrongAddress("Enter an address such as https://example.com/events.", field="url")
    if parts.username or parts.password or parts.fragment:
        raise WrongAddress("The address must not contain a user name, a password or “#”.", field="url")
    if parts.scheme == "http" and reach_of_webhook(url) is Reach.PUBLIC:
        raise WrongAddress("The address must begin with https://, so that nobody else reads what is sent.", field="url")
    return url


def reach_of_webhook(url: str) -> Reach:
    """How far a delivery may go."""
    return reach_of(url, settings.WEBHOOK_PRIVATE_HOSTS)
