"""Pages about members: the list for owners, and the page behind an invitation's link."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth import login
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from rest.errors import PortalError
from tenants.access import members_only
from tenants.models import Invitation, Membership, User
from tenants.people.errors import InvitationEnded
from tenants.people.forms import InviteForm, JoinForm, RoleForm
from tenants.people.mail import send_invitation
from tenants.people.services import (
    accept_invitation,
    cancel_invitation,
    change_role,
    find_invitation,
    invite,
    remove_member,
)
from tenants.permissions import Action, Role
from tenants.requests import SESSION_KEY, TenantRequest
from tenants.shown_once import show_once, take_shown_once

NEW_LINK = "new_invitation"
BACKEND = "django.contrib.auth.backends.ModelBackend"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.MEMBERS_MANAGE)
def members(request: TenantRequest) -> HttpResponse:
    """Members and open invitations. A new invitation's link waits in the session for the page that shows it, once."""
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _invite(request, form)
        except PortalError as error:
            error.show_on(form)
        else:
            return redirect("members")
    context = {
        "form": form,
        "members": Membership.objects.select_related("user").order_by("user__email"),
        "invitations": Invitation.objects.open().select_related("invited_by").order_by("email"),
        "roles": Role.choices,
        "new": take_shown_once(request, NEW_LINK),
    }
    return render(request, "tenants/people/members.html", context)


def _invite(request: TenantRequest, form: InviteForm) -> None:
    invitation, token = invite(
        tenant=request.tenant,
        email=form.cleaned_data["email"],
        role=form.cleaned_data["role"],
        invited_by=request.membership.user,
    )
    link = request.build_absolute_uri(reverse("join", args=[token]))
    sent = send_invitation(invitation, link)
    show_once(request, NEW_LINK, {"email": invitation.email, "link": link, "sent": sent})


@require_POST
@members_only(Action.MEMBERS_MANAGE)
def member_role(request: TenantRequest, membership_id: UUID) -> HttpResponse:
    """Give a member another role."""
    form = RoleForm(request.POST)
    if not form.is_valid():
        raise PortalError("Choose a role from the list.", code="member:role", field="role")
    membership = change_role(membership_id=membership_id, role=form.cleaned_data["role"])
    messages.success(request, f"{membership.user} is now {membership.get_role_display().lower()}.")
    return redirect("members")


@require_POST
@members_only(Action.MEMBERS_MANAGE)
def member_remove(request: TenantRequest, membership_id: UUID) -> HttpResponse:
    """Remove a member from the organisation."""
    remove_member(membership_id=membership_id)
    messages.success(request, "Member removed. API keys this person made no longer work.")
    return redirect("members")


@require_POST
@members_only(Action.MEMBERS_MANAGE)
def invitation_cancel(request: TenantRequest, invitation_id: UUID) -> HttpResponse:
    """Make an invitation's link useless."""
    cancel_invitation(invitation_id=invitation_id)
    messages.success(request, "Invitation cancelled. Its link no longer works.")
    return redirect("members")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Where an invitation's link leads: to a new account, to signing in, or straight into the organisation."""
    invitation = find_invitation(token)
    if request.user.is_authenticated:
        return _join_as(request, invitation, request.user)
    if User.objects.filter(email=invitation.email).exists():
        context = {"invitation": invitation, "next": request.path}
        return render(request, "tenants/people/join_sign_in.html", context)
    form = JoinForm(User(email=invitation.email), request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                user = form.save()
                accept_invitation(invitation=invitation, user=user)
        except IntegrityError:
            # The form was sent twice at once.
            raise InvitationEnded from None
        login(request, user, backend=BACKEND)
        return _enter(request, invitation)
    return render(request, "tenants/people/join.html", {"invitation": invitation, "form": form})


def _join_as(request: HttpRequest, invitation: Invitation, user: User) -> HttpResponse:
    if request.method == "POST" and user.email.lower() == invitation.email:
        accept_invitation(invitation=invitation, user=user)
        return _enter(request, invitation)
    return render(request, "tenants/people/join_as.html", {"invitation": invitation})


def _enter(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    request.session[SESSION_KEY] = str(invitation.tenant_id)
    messages.success(request, f"Welcome to {invitation.tenant.name}.")
    return redirect("overview")
