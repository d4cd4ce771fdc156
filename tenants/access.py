"""Access to pages: the decorator that every view has."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django_htmx.http import HttpResponseClientRedirect

from tenants.errors import PermissionMissing
from tenants.models import Role
from tenants.requests import PortalRequest, TenantRequest

View = Callable[..., HttpResponseBase]

EVERYONE = frozenset(Role)
WRITERS = frozenset({Role.OWNER, Role.MEMBER})


def members_only(*, roles: frozenset[Role] = WRITERS) -> Callable[[View], View]:
    """Admit signed-in members of a tenant with one of `roles`. Others are asked to sign in, or told why not."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            seen = cast(PortalRequest, request)
            if not seen.user.is_authenticated:
                return _sign_in_first(request)
            if seen.membership is None:
                return render(request, "portal/no_tenant.html", status=403)
            if seen.membership.role not in roles:
                raise PermissionMissing(
                    "Your role doesn’t include this page. Ask an owner of your organisation for access."
                )
            return view(cast(TenantRequest, request), *args, **kwargs)

        checked.allowed_roles = roles  # type: ignore[attr-defined]
        return checked

    return decorate


def _sign_in_first(request: HttpRequest) -> HttpResponseBase:
    """Redirect to the sign-in page. If a script requested a fragment, redirect the whole page and return to it."""
    if not request.headers.get("HX-Request"):
        return redirect_to_login(request.get_full_path())
    page = urlsplit(request.headers.get("HX-Current-URL", "/"))
    return HttpResponseClientRedirect(redirect_to_login(f"{page.path}?{page.query}".rstrip("?")).url)
