"""Checks, before a view runs, that its caller may do what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django_htmx.http import HttpResponseClientRedirect
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from tenants.errors import PermissionMissing
from tenants.models import User
from tenants.permissions import API_KEY, Action, may
from tenants.requests import PortalRequest, TenantRequest

if TYPE_CHECKING:
    from rest_framework.views import APIView

View = Callable[..., HttpResponseBase]


def members_only(action: Action | None = None) -> Callable[[View], View]:
    """Let in signed-in members whose role includes `action`, or any member; others sign in first, or read why not."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            seen = cast(PortalRequest, request)
            if not seen.user.is_authenticated:
                return _sign_in_first(request)
            if seen.membership is None:
                return render(request, "portal/no_tenant.html", status=403)
            if action is not None and not seen.membership.may(action):
                raise PermissionMissing(
                    "Your role doesn’t include this page. Ask an owner of your organisation for access."
                )
            return view(cast(TenantRequest, request), *args, **kwargs)

        return checked

    return decorate


def operators_only(view: View) -> View:
    """Let in the site's operators, whatever their organisations; others sign in first, or find no such page."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        seen = cast(PortalRequest, request)
        if not seen.user.is_authenticated:
            return _sign_in_first(request)
        # With a key, valid or not, it is the key that acts, whoever is signed in beside it.
        with_key = request.headers.get("Authorization", "").lower().startswith("bearer")
        if with_key or not is_operator(seen.user):
            raise Http404
        return view(request, *args, **kwargs)

    return checked


def is_operator(user: object) -> bool:
    """Whether somebody runs the site."""
    return isinstance(user, User) and user.is_active and user.is_staff


def _sign_in_first(request: HttpRequest) -> HttpResponseBase:
    """Redirect to the sign-in page. If a script requested a fragment, redirect the whole page and return to it."""
    if not request.headers.get("HX-Request"):
        return redirect_to_login(request.get_full_path())
    page = urlsplit(request.headers.get("HX-Current-URL", "/"))
    return HttpResponseClientRedirect(redirect_to_login(f"{page.path}?{page.query}".rstrip("?")).url)


class HasPermission(BasePermission):
    """Let in API keys, and members whose role includes what the REST view does.

    A view names an action of `tenants.permissions` for reading (`reads`; None for everybody in the tenant), one for
    everything else (`writes`), and exceptions by the names of its own methods (`needs`). One that names none fails.
    """

    message = "Sign in, or send an API key of your organisation."

    def has_permission(self, request: Request, view: APIView) -> bool:
        seen = cast(PortalRequest, request._request)
        if seen.tenant is None:
            return False
        holder = seen.membership.role if seen.membership is not None else API_KEY
        action = _needed(request, view)
        if action is None or may(holder, action):
            return True
        raise PermissionMissing("Your role doesn’t include this. Ask an owner of your organisation for access.")


def _needed(request: Request, view: Any) -> Action | None:
    needs: Mapping[str, Action] = getattr(view, "needs", {})
    method: str | None = getattr(view, "action", None)
    if method is not None and method in needs:
        return needs[method]
    # A method that the view does not have is refused with 405 afterwards.
    reads = request.method in SAFE_METHODS or method is None
    return cast("Action | None", view.reads if reads else view.writes)
