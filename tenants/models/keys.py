"""API keys."""

from typing import Any

from django.db import models
from django.db.models.deletion import Collector
from django.utils import timezone

from tenants.models.people import User
from tenants.models.rows import TenantModel


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
