"""Who is acting, for the audit trail."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser


@dataclass(frozen=True)
class Actor:
    """`kind` is person, api_key, operator (of the site) or site (a job, or the site itself)."""

    kind: str
    id: str = ""
    name: str = ""


SITE = Actor("site")
OPERATOR = Actor("operator")


def person(user: AbstractBaseUser | AnonymousUser) -> Actor:
    """Somebody who is signed in."""
    return Actor("person", str(user.pk), user.get_username())


def operator(user: AbstractBaseUser | AnonymousUser) -> Actor:
    """Somebody who is signed in and acts for the site. Tenants read this, so it does not name them."""
    return Actor("operator", str(user.pk))


_actor: ContextVar[Actor] = ContextVar("actor", default=SITE)


def active_actor() -> Actor:
    """Who is acting now; the site, unless somebody else was named."""
    return _actor.get()


@contextmanager
def acting_as(actor: Actor) -> Iterator[None]:
    """Name `actor` in everything recorded meanwhile."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)
