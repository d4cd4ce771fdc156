"""The portal's own pages: sign-in, overview, API keys, health."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import LoginView
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.forms import KeyForm, SignInForm
from portal.outages import DatabaseUnavailable, outage_behind
from portal.overview import read_overview
from rest.errors import NotFound
from rest.names import InvalidName
from serving.models import Route
from tenants.access import members_only
from tenants.keys.services import create_api_key, revoke_api_key
from tenants.models import ApiKey
from tenants.permissions import Action
from tenants.requests import SESSION_KEY, TenantRequest
from tenants.shown_once import show_once, take_shown_once

NEW_KEY = "new_api_key"


class SignIn(LoginView):
    """Sign in with e-mail address and password."""

    http_method_names = ["get", "post", "head", "options"]
    template_name = "portal/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True


@require_safe
@members_only()
def overview(request: TenantRequest) -> HttpResponse:
    """What there is, what runs and what to do next; a reviewer is sent to the reviews."""
    if not request.membership.may(Action.OVERVIEW_VIEW):
        return redirect("evaluations:reviews")
    return render(request, "portal/overview.html", {"overview": read_overview()})


@require_POST
@members_only()
def switch_tenant(request: TenantRequest) -> HttpResponse:
    """Switch to another of the person's organisations."""
    wanted = request.POST.get("tenant", "")
    if not any(str(m.tenant_id) == wanted for m in request.memberships):
        raise NotFound("You’re not a member of that organisation.")
    request.session[SESSION_KEY] = wanted
    return redirect("overview")


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.KEYS_MANAGE)
def keys(request: TenantRequest) -> HttpResponse:
    """List keys and make new ones. A new key's token waits in the session for the page that shows it, once."""
    form = KeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _, token = create_api_key(
                tenant=request.tenant, name=form.cleaned_data["name"], created_by=request.membership.user
            )
        except InvalidName as error:
            error.show_on(form)
        else:
            show_once(request, NEW_KEY, {"token": token})
            return redirect("keys")
    rows = ApiKey.objects.select_related("created_by").all()
    route = Route.objects.exclude(active=None).first()
    response = render(
        request,
        "portal/keys.html",
        {
            "form": form,
            "keys": rows,
            "new_key": take_shown_once(request, NEW_KEY),
            "gateway_url": settings.GATEWAY_URL,
            "alias": route.alias if route else "your-adapter",
        },
    )
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@members_only(Action.KEYS_MANAGE)
def revoke_key(request: TenantRequest, key_id: UUID) -> HttpResponse:
    """Revoke a key."""
    revoke_api_key(key_id=key_id)
    messages.success(request, "API key revoked. Software that uses it no longer has access.")
    return redirect("keys")


@require_safe
@transaction.non_atomic_requests
def health(request: HttpRequest) -> JsonResponse:
    """200 if the database responds, else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        outage = outage_behind(error) or DatabaseUnavailable()
        return JsonResponse({"status": "unavailable", "code": outage.code}, status=503)
    return JsonResponse({"status": "ok"})
