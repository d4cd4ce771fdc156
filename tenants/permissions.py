"""What a credential may do over REST."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from tenants.models import ApiKey, Membership, Role, Tenant

if TYPE_CHECKING:
    from rest_framework.views import APIView


class HasActiveTenant(BasePermission):
    """A key or member of a tenant; reviewers read and write only where the view's `reviewer_actions` says so."""

    message = "Sign in, or send an API key of your organisation."

    def has_permission(self, request: Request, view: APIView) -> bool:
        tenant: Tenant | None = request._request.tenant
        if tenant is None:
            return False
        key: ApiKey | None = request._request.api_key
        membership: Membership | None = request._request.membership
        if key is not None or (membership is not None and membership.role != Role.REVIEWER):
            return True
        action = getattr(view, "action", None) or request.method
        return request.method in SAFE_METHODS + ("POST", "PUT") and action in getattr(view, "reviewer_actions", ())
