"""Every write to tenants, people, memberships and API keys, and the look-ups that come before a tenant is known."""

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.text import slugify

from rest.errors import NotFound
from rest.names import check_name
from tenants import keys
from tenants.audit.services import record_event
from tenants.models import ApiKey, Membership, Tenant, User
from tenants.permissions import Role
from tenants.scope import system_scope, tenant_scope

LAST_USED_RESOLUTION = dt.timedelta(minutes=1)


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
def create_api_key(
    *, tenant: Tenant, name: str, created_by: User | None = None, expires_at: dt.datetime | None = None
) -> tuple[ApiKey, str]:
    """Create a key. Returns its row and its token, which cannot be read again later. Raises InvalidName."""
    new = keys.new_key()
    row = ApiKey.objects.create(
        tenant=tenant,
        name=check_name(name),
        public_id=new.public_id,
        secret_hash=new.secret_hash,
        created_by=created_by,
        expires_at=expires_at,
    )
    record_event("api_key.created", row, after={"public_id": row.public_id, "expires_at": expires_at})
    return row, new.token


@transaction.atomic
def revoke_api_key(*, key_id: UUID) -> None:
    """Refuse the key from now on. A second call changes nothing."""
    key = ApiKey.objects.filter(id=key_id).first()
    if key is None:
        raise NotFound("API key not found.")
    if ApiKey.objects.filter(id=key_id, revoked_at=None).update(revoked_at=timezone.now()):
        record_event("api_key.revoked", key)


def authenticate_api_key(token: str) -> ApiKey | None:
    """The live key behind a token, with its tenant, else None. Runs before any tenant is active.

    A key stops with the membership or the account of the person who made it.
    """
    parts = keys.split_token(token)
    if parts is None:
        return None
    with system_scope():
        creator = Membership.objects.filter(
            tenant_id=OuterRef("tenant_id"), user_id=OuterRef("created_by_id"), user__is_active=True
        )
        found = ApiKey.objects.select_related("tenant").annotate(by_member=Exists(creator))
        key = found.filter(public_id=parts[0]).first()
        if key is None or not keys.matches(parts[1], key.secret_hash) or not key.is_live:
            return None
        # A key of nobody was made on the command line.
        if key.created_by_id is not None and not key.by_member:
            return None
        now = timezone.now()
        if key.last_used_at is None or now - key.last_used_at > LAST_USED_RESOLUTION:
            ApiKey.objects.filter(id=key.id).update(last_used_at=now)
    return key
