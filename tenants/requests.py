"""The request as views see it after ActiveTenantMiddleware."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.http import HttpRequest

from tenants.models import ApiKey, Membership, Tenant, User
from tenants.permissions import API_KEY
from tenants.scope import NoActiveTenant

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails
    from rest_framework.request import Request

SESSION_KEY = "tenant_id"
"""In the session: the tenant that the person chose last."""


class PortalRequest(HttpRequest):
    """A request whose tenant may be None: for anonymous visitors and people without a membership."""

    htmx: HtmxDetails
    tenant: Tenant | None
    membership: Membership | None
    memberships: list[Membership]
    api_key: ApiKey | None


class TenantRequest(PortalRequest):
    """A request that passed `tenants.access` and so has a tenant."""

    tenant: Tenant
    membership: Membership


def tenant_of(request: Request) -> Tenant:
    """The tenant that a REST request acts for; `HasPermission` has made sure there is one."""
    tenant = cast(PortalRequest, request._request).tenant
    if tenant is None:
        raise NoActiveTenant("the view lacks the permission HasPermission")
    return tenant


def holder_of(request: Request) -> str:
    """Whose permissions count for a REST request, as `tenants.permissions.may` takes it: the role, or an API key."""
    seen = cast(PortalRequest, request._request)
    return seen.membership.role if seen.membership is not None else API_KEY


def person_of(request: Request) -> User | None:
    """The signed-in person, or the API key's creator. None if the creator no longer exists."""
    seen = cast(PortalRequest, request._request)
    if seen.membership is not None:
        return seen.membership.user
    return seen.api_key.created_by if seen.api_key is not None else None
