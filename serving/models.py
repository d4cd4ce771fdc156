"""Shared endpoints, deployments, and the live version of each alias."""

import uuid
from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.utils import timezone

from adapters.models import Adapter, AdapterVersion, BaseModel
from jobs.models import Job
from tenants.isolation import TenantForeignKey, TenantOneToOneField
from tenants.models import TenantManager, TenantModel, User

PROMOTION = "promotion"
"""The kind of a promotion's job."""


class Endpoint(models.Model):
    """A shared multi-adapter endpoint: one base model and the adapters of all tenants. Managed by the operator."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.SlugField(unique=True)
    backend = models.CharField(max_length=40, help_text="alias in ENDPOINTS")
    base_model = models.ForeignKey(BaseModel, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class DeploymentState(models.TextChoices):
    """A deployment never changes its content; a draining one still answers what it was asked."""

    CREATING = "creating", "Creating"
    IN_SERVICE = "in_service", "In service"
    DRAINING = "draining", "Draining"
    DELETED = "deleted", "Deleted"
    FAILED = "failed", "Failed"


HELD = (DeploymentState.CREATING, DeploymentState.IN_SERVICE, DeploymentState.DRAINING)


class DeploymentQuerySet(models.QuerySet["Deployment"]):
    def live(self) -> Self:
        """Able to answer."""
        return self.filter(state__in=(DeploymentState.IN_SERVICE, DeploymentState.DRAINING))


DeploymentManager = TenantManager.from_queryset(DeploymentQuerySet)


class Deployment(TenantModel):
    """One version on one endpoint, under a name made from its content hash."""

    endpoint = models.ForeignKey(Endpoint, models.PROTECT, related_name="+")
    version = TenantForeignKey(AdapterVersion, models.PROTECT, related_name="deployments")
    name = models.CharField(max_length=63, help_text="Name at the endpoint, never reused for other content.")
    state = models.CharField(max_length=16, choices=DeploymentState, default=DeploymentState.CREATING)
    error_text = models.TextField(blank=True)
    drain_until = models.DateTimeField(null=True, blank=True)
    in_service_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[DeploymentManager[Self]] = DeploymentManager()

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "endpoint", "version"),
                name="deployment_held_once",
                condition=models.Q(state__in=HELD),
            ),
        )

    def __str__(self) -> str:
        return self.name


class Route(TenantModel):
    """A model of the gateway: an alias and its live deployment. One row per alias."""

    adapter = TenantOneToOneField(Adapter, models.CASCADE, related_name="route")
    alias = models.SlugField(max_length=60)
    active = TenantForeignKey(Deployment, models.PROTECT, null=True, related_name="+")
    previous = TenantForeignKey(Deployment, models.PROTECT, null=True, related_name="+")
    switched_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("alias",)
        constraints = (models.UniqueConstraint(fields=("tenant", "alias"), name="route_alias_once"),)

    def __str__(self) -> str:
        return self.alias


class FreezeWindow(models.Model):
    """A time in which nothing is promoted. Rollbacks are always possible."""

    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=200)

    class Meta:
        abstract = True
        constraints = (
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="%(class)s_has_a_length"
            ),
        )


class Freeze(FreezeWindow, TenantModel):
    """A window of one adapter, or of all of its tenant where `adapter` is null."""

    adapter = TenantForeignKey(Adapter, models.CASCADE, null=True, blank=True, related_name="+")
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta(FreezeWindow.Meta):
        ordering = ("-created_at",)
        indexes = (models.Index(fields=("tenant", "ends_at"), name="freeze_ends"),)

    def __str__(self) -> str:
        return f"Freeze of {self.adapter or 'all adapters'}"


class SiteFreeze(FreezeWindow):
    """A window of all tenants. Managed by the operator, as endpoints are; every tenant may read it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(FreezeWindow.Meta):
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return "Freeze of the whole site"


class Promotion(TenantModel):
    """A request to make a version live for its adapter's alias. Its job carries it out."""

    version = TenantForeignKey(AdapterVersion, models.PROTECT, related_name="promotions")
    job = TenantOneToOneField(Job, models.PROTECT, null=True, related_name="promotion")
    deployment = TenantForeignKey(Deployment, models.PROTECT, null=True, related_name="promotions")
    is_rollback = models.BooleanField(default=False)
    fingerprint = models.JSONField(default=dict, help_text="Number of known answers that the deployment repeated.")
    not_before = models.DateTimeField(null=True, blank=True, help_text="When it is to be carried out; null: at once.")
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.version} {'rolled back to' if self.is_rollback else 'promoted'}"

    @property
    def scheduled_for(self) -> datetime | None:
        """`not_before` while that has not come yet."""
        is_to_come = self.not_before is not None and self.not_before > timezone.now()
        return self.not_before if is_to_come else None
