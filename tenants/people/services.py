"""Every write to tenants, memberships and invitations, and the look-ups that come before a tenant is known."""

import datetime as dt
import hashlib
import secrets
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from rest.errors import NotFound
from rest.names import check_name
from tenants.audit.services import record_event
from tenants.keys.services import revoke_api_key
from tenants.models import ApiKey, Invitation, Membership, Tenant, User
from tenants.people.errors import AlreadyMember, InvitationEnded, LastOwner
from tenants.permissions import Role
from tenants.scope import system_scope, tenant_scope

VALID_FOR = dt.timedelta(days=7)

log = structlog.get_logger(__name__)


@transaction.atomic
def create_tenant(*, name: str, owner: User, slug: str = "", max_running_jobs: int = 2) -> Tenant:
    """Create a tenant with its first member. Raises InvalidName."""
    name = check_name(name)
    with system_scope():
        tenant = Tenant.objects.create(name=name, slug=slug or slugify(name)[:50], max_running_jobs=max_running_jobs)
    with tenant_scope(tenant.id):
        Membership.objects.create(tenant=tenant, user=owner, role=Role.OWNER)
        record_event("tenant.created", tenant, after={"name": name, "slug": tenant.slug, "owner": owner.email})
    return tenant


@transaction.atomic
def add_member(*, tenant: Tenant, user: User, role: Role) -> Membership:
    """Add a person, or change the role of one who is there."""
    before = Membership.objects.select_for_update().filter(user=user).first()
    if before is not None and before.role == role:
        return before
    membership, created = Membership.objects.update_or_create(tenant=tenant, user=user, defaults={"role": role})
    record_event(
        "member.added" if created else "member.role_changed",
        membership,
        before={"role": before.role} if before is not None else {},
        after={"user": user.email, "role": role},
    )
    return membership


def memberships_of(user: User) -> list[Membership]:
    """A person's memberships, by tenant name. Runs before any tenant is active, so in the system scope."""
    with system_scope():
        return list(Membership.objects.filter(user=user).select_related("tenant").order_by("tenant__name"))


@transaction.atomic
def add_operator(*, email: str) -> User:
    """Let a person operate the site; one who is not known yet has no password."""
    user, created = User.objects.get_or_create(email=email, defaults={"is_staff": True})
    if created:
        user.set_unusable_password()
    user.is_staff = True
    user.save(update_fields=["password", "is_staff"])
    log.info("operator_added", user=user.pk)
    return user


def remove_operator(*, email: str) -> bool:
    """Let a person operate it no longer, from the next request on; False if they didn't."""
    removed = User.objects.filter(email=email, is_staff=True).update(is_staff=False)
    if removed:
        log.info("operator_removed", users=removed)
    return bool(removed)


@transaction.atomic
def invite(*, tenant: Tenant, email: str, role: Role, invited_by: User | None) -> tuple[Invitation, str]:
    """A new invitation and the token of its one-time link, which cannot be read again later.

    It replaces an earlier one to the same address. Raises AlreadyMember.
    """
    email = email.strip().lower()
    if Membership.objects.filter(user__email=email).exists():
        raise AlreadyMember(email)
    Invitation.objects.filter(email=email, ended_at=None).update(ended_at=timezone.now())
    token = secrets.token_urlsafe(32)
    invitation: Invitation = Invitation.objects.create(
        tenant=tenant,
        email=email,
        role=role,
        token_hash=_hash(token),
        expires_at=timezone.now() + VALID_FOR,
        invited_by=invited_by,
    )
    record_event("invitation.sent", invitation, after={"role": role, "expires_at": invitation.expires_at})
    return invitation, token


@transaction.atomic
def cancel_invitation(*, invitation_id: UUID) -> None:
    """End an open invitation. Repeating the call has no effect. Raises NotFound."""
    invitation = Invitation.objects.filter(id=invitation_id).first()
    if invitation is None:
        raise NotFound("Invitation not found.")
    if Invitation.objects.open().filter(id=invitation_id).update(ended_at=timezone.now()):
        record_event("invitation.cancelled", invitation)


def find_invitation(token: str) -> Invitation:
    """The open invitation behind a link, with its tenant. Runs before any tenant is active. Raises InvitationEnded."""
    with system_scope():
        invitation = Invitation.objects.open().select_related("tenant").filter(token_hash=_hash(token)).first()
    if invitation is None:
        raise InvitationEnded
    return invitation


@transaction.atomic
def accept_invitation(*, invitation: Invitation, user: User) -> Membership:
    """Make `user`, whose e-mail address was invited, a member. Raises InvitationEnded, also for another address."""
    with tenant_scope(invitation.tenant_id):
        mine = Invitation.objects.open().filter(id=invitation.id, email=user.email.lower())
        if not mine.update(ended_at=timezone.now(), accepted_by=user):
            raise InvitationEnded
        existing = Membership.objects.filter(user=user).first()
        return existing or add_member(tenant=invitation.tenant, user=user, role=Role(invitation.role))


@transaction.atomic
def change_role(*, membership_id: UUID, role: Role) -> Membership:
    """Change what a member may do. Raises NotFound or LastOwner."""
    membership = _locked(membership_id)
    if membership.role == Role.OWNER and role != Role.OWNER:
        _keep_an_owner(membership)
    return add_member(tenant=membership.tenant, user=membership.user, role=role)


@transaction.atomic
def remove_member(*, membership_id: UUID) -> None:
    """End a membership, and revoke the API keys that this member made. Raises NotFound or LastOwner."""
    membership = _locked(membership_id)
    if membership.role == Role.OWNER:
        _keep_an_owner(membership)
    for key in ApiKey.objects.filter(created_by=membership.user, revoked_at=None):
        revoke_api_key(key_id=key.id)
    record_event("member.removed", membership, before={"user": membership.user.email, "role": membership.role})
    membership.delete()


def _locked(membership_id: UUID) -> Membership:
    """The membership; all owners' rows are locked with it, so that two requests cannot remove the last two."""
    rows = list(Membership.objects.select_for_update(of=("self",)).select_related("user", "tenant").order_by("id"))
    found = next((row for row in rows if row.id == membership_id), None)
    if found is None:
        raise NotFound("Member not found.")
    return found


def _keep_an_owner(leaving: Membership) -> None:
    if not Membership.objects.filter(role=Role.OWNER, user__is_active=True).exclude(id=leaving.id).exists():
        raise LastOwner


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
