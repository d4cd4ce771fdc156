"""Permissions of the REST API."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from tenants.models import Role
from tenants.requests import PortalRequest

if TYPE_CHECKING:
    from rest_framework.views import APIView


class HasActiveTenant(BasePermission):
    """Admits keys and members of a tenant; reviewers only for the actions in the view's `reviewer_actions`."""

    message = "Sign in, or send an API key of your organisation."

    def has_permission(self, request: Request, view: APIView) -> bool:
        seen = cast(PortalRequest, request._request)
        if seen.tenant is None:
            return False
        if seen.api_key is not None or (seen.membership is not None and seen.membership.role != Role.REVIEWER):
            return True
        action = getattr(view, "action", None) or request.method
        return request.method in {*SAFE_METHODS, "POST"} and action in getattr(view, "reviewer_actions", ())
