"""Every write to API keys, and the look-up of the key that a request brings, before a tenant is known."""

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from rest.errors import NotFound
from rest.names import check_name
from tenants.audit.services import record_event
from tenants.keys import tokens
from tenants.models import ApiKey, Membership, Tenant, User
from tenants.scope import system_scope

LAST_USED_RESOLUTION = dt.timedelta(minutes=1)


@transaction.atomic
def create_api_key(
    *, tenant: Tenant, name: str, created_by: User | None = None, expires_at: dt.datetime | None = None
) -> tuple[ApiKey, str]:
    """Create a key. Returns its row and its token, which cannot be read again later. Raises InvalidName."""
    new = tokens.new_key()
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
    parts = tokens.split_token(token)
    if parts is None:
        return None
    with system_scope():
        creator = Membership.objects.filter(
            tenant_id=OuterRef("tenant_id"), user_id=OuterRef("created_by_id"), user__is_active=True
        )
        found = ApiKey.objects.select_related("tenant").annotate(by_member=Exists(creator))
        key = found.filter(public_id=parts[0]).first()
        if key is None or not tokens.matches(parts[1], key.secret_hash) or not key.is_live:
            return None
        # A key of nobody was made on the command line.
        if key.created_by_id is not None and not key.by_member:
            return None
        now = timezone.now()
        if key.last_used_at is None or now - key.last_used_at > LAST_USED_RESOLUTION:
            ApiKey.objects.filter(id=key.id).update(last_used_at=now)
    return key
