"""Tenants, people, memberships and API keys, and the base class of every table of tenants' rows."""

import uuid
from typing import Any, ClassVar, TypeVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.deletion import Collector
from django.utils import timezone

from tenants.isolation import OwnerKey
from tenants.permissions import Action, Role, may
from tenants.scope import active_scope

M = TypeVar("M", bound=models.Model)


class Tenant(models.Model):
    """A customer. Only its own people can see its rows."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=120)
    max_running_jobs = models.PositiveSmallIntegerField(default=2)
    max_storage_bytes = models.BigIntegerField(
        default=50 * 2**30, help_text="Limit for uploaded files, including unfinished uploads."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class TenantManager(models.Manager[M]):
    """Restricts queries to the active tenant's rows. Raises NoActiveTenant if there is none."""

    def get_queryset(self) -> models.QuerySet[M]:
        scope = active_scope()
        queryset = super().get_queryset()
        return queryset.filter(tenant_id=scope.tenant_id) if scope.tenant_id else queryset


class TenantRow(models.Model):
    """A table of tenants' rows. Its migration must name it in `tenants.isolation.IsolateTenant`."""

    tenant = OwnerKey(Tenant, models.CASCADE, related_name="+")

    objects = TenantManager()

    class Meta:
        abstract = True


class TenantModel(TenantRow):
    """A table of tenants' rows that others may refer to."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **extra: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **extra)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person, who signs in by e-mail and may belong to several tenants."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField("operator", default=False)
    date_joined = models.DateTimeField(default=timezone.now)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()

    def __str__(self) -> str:
        return self.name or self.email


class Membership(TenantModel):
    """A person's membership in a tenant, with a role."""

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role, default=Role.MEMBER)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("tenant", "user"), name="membership_once"),)

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"

    def may(self, action: Action) -> bool:
        """Whether this member's role includes the action."""
        return may(self.role, action)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> "InvitationQuerySet":
        """Those whose link still works."""
        return self.filter(ended_at=None, expires_at__gt=timezone.now())


InvitationManager = TenantManager.from_queryset(InvitationQuerySet)


class Invitation(TenantModel):
    """A one-time link that makes its reader a member; only a hash of its token is kept."""

    email = models.EmailField()
    role = models.CharField(max_length=16, choices=Role)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    accepted_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", editable=False)

    objects: ClassVar = InvitationManager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "email"), condition=models.Q(ended_at=None), name="invitation_open_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.email} ({self.get_role_display()})"


def end_with_account(collector: Collector, field: Any, keys: models.QuerySet["ApiKey"], using: str) -> None:
    """`on_delete` of the account that made a key: the key is revoked and stays, because records name it."""
    revoked_at = field.model._meta.get_field("revoked_at")
    # First, while the keys can still be found by their maker.
    collector.add_field_update(revoked_at, timezone.now(), keys.filter(revoked_at=None))
    collector.add_field_update(field, None, keys)


class ApiKey(TenantModel):
    """A secret that lets a program act for the tenant; only a keyed hash of it is stored."""

    name = models.CharField(max_length=80)
    public_id = models.CharField(max_length=16, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    created_by = models.ForeignKey(User, end_with_account, null=True, related_name="+")
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.name

    @property
    def is_live(self) -> bool:
        """Whether the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())


class AuditEvent(TenantModel):
    """One thing that was done. `tenants.audit` adds rows; the database refuses to change or delete them."""

    # `at` stands in its place, and in the hash.
    created_at = None  # type: ignore[assignment]

    sequence = models.PositiveBigIntegerField(help_text="1, 2, 3, … in each tenant, without gaps")
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=40, blank=True)
    actor_name = models.CharField(max_length=320, blank=True)
    action = models.CharField(max_length=60)
    target_type = models.CharField(max_length=60)
    target_id = models.CharField(max_length=40)
    target_name = models.CharField(max_length=300)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ("-sequence",)
        constraints = (models.UniqueConstraint(fields=("tenant", "sequence"), name="audit_event_once"),)

    def __str__(self) -> str:
        return f"{self.action} {self.target_name}"


class AuditHead(TenantModel):
    """The last event of a tenant's audit trail. Its lock puts the tenant's writers in line."""

    sequence = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("tenant",), name="audit_head_once"),)

    def __str__(self) -> str:
        return f"{self.sequence}:{self.hash}"
