"""Tenants, and the base class of every table of tenants' rows."""

import uuid
from typing import TypeVar

from django.db import models

from tenants.isolation import OwnerKey
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
