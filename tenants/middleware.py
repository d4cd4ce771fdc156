"""Finds the tenant of a request's credential and activates it.

An API key belongs to a tenant; a signed-in person's session names one of their memberships. The path, query and body
never choose the tenant.
"""

from collections.abc import Callable

from django.http import HttpResponse

from tenants.audit.actor import Actor, acting_as, person
from tenants.keys.services import authenticate_api_key
from tenants.models import User
from tenants.people.services import memberships_of
from tenants.requests import SESSION_KEY, PortalRequest
from tenants.scope import tenant_scope


class ActiveTenantMiddleware:
    """Sets `tenant`, `membership`, `memberships` and `api_key` on the request."""

    def __init__(self, get_response: Callable[[PortalRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: PortalRequest) -> HttpResponse:
        request.tenant = request.membership = request.api_key = None
        request.memberships = []
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            request.api_key = authenticate_api_key(token.strip())
            request.tenant = request.api_key.tenant if request.api_key else None
        elif isinstance(request.user, User):
            request.memberships = memberships_of(request.user)
            wanted = request.session.get(SESSION_KEY)
            first = request.memberships[0] if request.memberships else None
            request.membership = next((m for m in request.memberships if str(m.tenant_id) == wanted), first)
            request.tenant = request.membership.tenant if request.membership else None
        if request.tenant is None:
            return self.get_response(request)
        with tenant_scope(request.tenant.id), acting_as(_actor(request)):
            return self.get_response(request)


def _actor(request: PortalRequest) -> Actor:
    if request.api_key is not None:
        return Actor("api_key", str(request.api_key.id), request.api_key.name)
    return person(request.user)
