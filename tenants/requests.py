"""The request as views see it after ActiveTenantMiddleware."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from tenants.models import ApiKey, Membership, Tenant


class PortalRequest(HttpRequest):
    """A request before its tenant is certain: `tenant` is None for strangers and for people without a membership."""

    htmx: HtmxDetails
    tenant: Tenant | None
    membership: Membership | None
    memberships: list[Membership]
    api_key: ApiKey | None


class TenantRequest(PortalRequest):
    """A request that passed `tenants.access`: it acts for a tenant."""

    tenant: Tenant
    membership: Membership
