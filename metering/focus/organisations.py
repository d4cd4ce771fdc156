"""Whose charges a file has."""

from uuid import UUID

from metering.focus.charges import Organisation
from rest.errors import NotFound
from tenants.models import Tenant
from tenants.scope import system_scope


class Organisations:
    """All of the site's, or `only` one."""

    def __init__(self, only: Tenant | None = None) -> None:
        rows = [only] if only else list(Tenant.objects.order_by("slug"))
        self.only = only
        self._by_id = {row.id: Organisation(id=row.id, slug=row.slug, name=row.name) for row in rows}

    def get(self, tenant_id: UUID) -> Organisation:
        """Raises KeyError for one that is not wanted."""
        return self._by_id[tenant_id]

    def ids(self) -> list[UUID]:
        return list(self._by_id)


def organisation_named(slug: str) -> Tenant:
    """For the operator, who may name any. Raises NotFound."""
    with system_scope():
        found = Tenant.objects.filter(slug=slug).first() if "\0" not in slug else None
    if found is None:
        raise NotFound(f"There is no organisation {slug}.")
    return found
