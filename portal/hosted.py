"""A hosted site does not start with a setting that leaves it open."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection

log = structlog.get_logger(__name__)

HOSTED = "hosted"
"""The tag of these checks among Django's."""

LEAST_KEY_LENGTH = 50
LEAST_KEY_CHARACTERS = 10


def refuse_unsafe_site() -> None:
    """Called by every process of a hosted site that serves or works. Raises ImproperlyConfigured with the settings."""
    if settings.EMBEDDED:
        return
    # In a thread, because a server may load the site in its event loop, where Django opens no connection.
    with ThreadPoolExecutor(max_workers=1) as thread:
        faults = [*unsafe_settings(), *thread.submit(unsafe_role).result()]
    if faults:
        raise ImproperlyConfigured("This site is not safe to start:\n" + "\n".join(f"- {fault}" for fault in faults))


def unsafe_settings() -> list[str]:
    """What is wrong with each setting, and what to do."""
    faults = []
    key = settings.SECRET_KEY
    if settings.DEBUG:
        faults.append("DEBUG is true, which shows settings and rows to whoever causes an error. Set DEBUG=false.")
    if len(key) < LEAST_KEY_LENGTH or len(set(key)) < LEAST_KEY_CHARACTERS:
        faults.append(f"SECRET_KEY is too easy to guess. Set {LEAST_KEY_LENGTH} random characters or more.")
    if any(host == "*" or host.startswith("*") for host in settings.ALLOWED_HOSTS):
        faults.append("ALLOWED_HOSTS has a *, which takes any name for ours. Name the site's hosts.")
    if not settings.HTTPS and any(_is_public(host) for host in settings.ALLOWED_HOSTS):
        faults.append("HTTPS is false, which sends passwords and keys in the clear. Set HTTPS=true.")
    return faults


def unsafe_role() -> list[str]:
    """What is wrong with the database's role. One that cannot sign in now is not judged."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
            row = cursor.fetchone()
    except OperationalError:
        log.warning("database_role_unknown")
        return []
    finally:
        connection.close()
    if row is None or not row[0]:
        return []
    what = "DATABASE_URL names a role that sees every tenant's rows: a superuser, or one with BYPASSRLS."
    return [f"{what} Name one with neither, as deploy/postgres/init.sh makes."]


def _is_public(host: str) -> bool:
    """Whether the name can be reached from elsewhere. `localhost` and a container's name have no dot."""
    return "." in host and not host.startswith("127.")


@register(Tags.security, HOSTED, deploy=True)
def check_hosted_site(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """The same for `manage.py check --deploy`, and for floors below, which know no portal."""
    return [] if settings.EMBEDDED else [Error(fault, id="portal.E001") for fault in unsafe_settings()]


@register(Tags.database, HOSTED, deploy=True)
def check_hosted_role(app_configs: Any, databases: Any = None, **_: Any) -> list[CheckMessage]:
    """The database's role, for whoever names the database to check."""
    return [] if settings.EMBEDDED or not databases else [Error(fault, id="portal.E002") for fault in unsafe_role()]
