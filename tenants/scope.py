"""The tenant that the running code acts for.

Two safeguards use this value: the managers of `tenants.models.TenantRow`, which refuse to build a query without it,
and PostgreSQL's row-level security, to which `tenants.postgresql` passes it inside every transaction. Without an active
scope, the managers raise an error and PostgreSQL returns no rows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID


class NoActiveTenant(RuntimeError):
    """Code that does not act for any tenant tried to read or write tenants' rows."""


@dataclass(frozen=True)
class Scope:
    """One tenant, or the whole site if `tenant_id` is None."""

    tenant_id: UUID | None


_scope: ContextVar[Scope | None] = ContextVar("tenant_scope", default=None)


def active_scope() -> Scope:
    """The active scope. Raises NoActiveTenant if there is none."""
    scope = _scope.get()
    if scope is None:
        raise NoActiveTenant("No tenant is active. Wrap the code in tenant_scope(tenant_id)")
    return scope


def active_tenant_id() -> UUID:
    """The active tenant. Raises NoActiveTenant if there is none, also inside `system_scope`."""
    tenant_id = active_scope().tenant_id
    if tenant_id is None:
        raise NoActiveTenant("The system scope has no tenant. Name one explicitly")
    return tenant_id


def database_settings() -> tuple[str, str]:
    """Values of the session settings `portal.tenant` and `portal.system`, which the policies check."""
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
    """Act for the whole site. For the reconciler, collectors and sign-in, which must see rows of every tenant.

    Review every use with care: requests of people and integrations run in `tenant_scope`.
    """
    token = _scope.set(Scope(None))
    try:
        yield
    finally:
        _scope.reset(token)
