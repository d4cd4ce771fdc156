"""Which tenant the running code acts for.

Two locks read this one value: the managers of `tenants.models.TenantModel`, which refuse to build a query without it,
and PostgreSQL's row-level security, to which `tenants.postgresql` hands it inside every transaction. Without an active
scope the first raises and the second shows no rows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID


class NoActiveTenant(RuntimeError):
    """A tenant's table was read or written by code that does not act for any tenant."""


@dataclass(frozen=True)
class Scope:
    """Acts for one tenant, or for the whole site when `tenant_id` is None."""

    tenant_id: UUID | None


_scope: ContextVar[Scope | None] = ContextVar("tenant_scope", default=None)


def active_scope() -> Scope:
    """The active scope; raises NoActiveTenant outside one."""
    scope = _scope.get()
    if scope is None:
        raise NoActiveTenant("no tenant is active: wrap the code in tenant_scope(tenant_id)")
    return scope


def active_tenant_id() -> UUID:
    """The active tenant; raises where there is none, also inside `system_scope`."""
    tenant_id = active_scope().tenant_id
    if tenant_id is None:
        raise NoActiveTenant("the site's own scope has no tenant: name one explicitly")
    return tenant_id


def database_settings() -> tuple[str, str]:
    """Values of the session settings `portal.tenant` and `portal.system` that the policies compare with."""
    scope = _scope.get()
    if scope is None:
        return "", "off"
    return (str(scope.tenant_id), "off") if scope.tenant_id else ("", "on")


@contextmanager
def tenant_scope(tenant_id: UUID) -> Iterator[None]:
    """Act for one tenant."""
    token = _scope.set(Scope(tenant_id))
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def system_scope() -> Iterator[None]:
    """Act for the whole site: the reconciler, collectors and sign-in, which must see rows of every tenant.

    Every use is a place to review; requests of people and integrations run in `tenant_scope`.
    """
    token = _scope.set(Scope(None))
    try:
        yield
    finally:
        _scope.reset(token)
