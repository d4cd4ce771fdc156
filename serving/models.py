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


class EndpointState(models.TextChoices):
    """An endpoint in a cloud takes minutes to make; one that is run elsewhere is in service from the first moment."""

    CREATING = "creating", "Creating"
    IN_SERVICE = "in_service", "In service"
    CHANGING = "changing", "Changing"
    DELETING = "deleting", "Deleting"
    DELETED = "deleted", "Deleted"
    FAILED = "failed", "Failed"


SERVING = (EndpointState.IN_SERVICE, EndpointState.CHANGING)
"""States in which an endpoint answers."""


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def standing(self) -> Self:
        """All but those that were deleted."""
        return self.exclude(state=EndpointState.DELETED)

    def serving(self) -> Self:
        """Those that answer."""
        return self.filter(state__in=SERVING)


EndpointManager = models.Manager.from_queryset(EndpointQuerySet)


class Endpoint(models.Model):
    """A shared multi-adapter endpoint: one base model and the adapters of its tenants. Managed by the operator.

    One that was deleted keeps its row for the deployments that it held.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.SlugField(unique=True)
    backend = models.CharField(max_length=40, help_text="alias in ENDPOINTS")
    options = models.JSONField(default=dict, blank=True, help_text="What differs from the OPTIONS of its alias.")
    base_model = models.ForeignKey(BaseModel, models.PROTECT, related_name="+")
    is_default = models.BooleanField(default=False, help_text="Whether tenants come here who have no other place.")
    state = models.CharField(max_length=16, choices=EndpointState, default=EndpointState.IN_SERVICE)
    state_since = models.DateTimeField(default=timezone.now)
    doing = models.CharField(max_length=200, blank=True, help_text="What is being done to it, in words.")
    error_text = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[EndpointManager[Self]] = EndpointManager()

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                fields=("base_model",), name="endpoint_default_once", condition=models.Q(is_default=True)
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_serving(self) -> bool:
        return self.state in SERVING


class EndpointAlarm(models.Model):
    """An alarm of a cloud on an endpoint, as it was at `read_at`. The operator's: it belongs to no tenant."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="alarms", db_index=False)
    name = models.CharField(max_length=255, help_text="Its name in the cloud.")
    text = models.CharField(max_length=1024, blank=True)
    state = models.CharField(max_length=8, help_text="as serving.backends.alarms.AlarmState")
    since = models.DateTimeField(help_text="When its state last changed.")
    read_at = models.DateTimeField()

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("endpoint", "name"), name="endpoint_alarm_once"),)

    def __str__(self) -> str:
        return self.name


class Placement(TenantModel):
    """Where a tenant's adapters of one base model are deployed: where it first promoted, until it is moved."""

    base_model = models.ForeignKey(BaseModel, models.PROTECT, related_name="+")
    endpoint = models.ForeignKey(Endpoint, models.PROTECT, related_name="placements")

    class Meta:
        ordering = ("created_at",)
        constraints = (models.UniqueConstraint(fields=("tenant", "base_model"), name="placement_once_for_each_base"),)

    def __str__(self) -> str:
        return f"{self.tenant} on {self.endpoint}"


class DeploymentState(models.TextChoices):
    """A deployment never changes its content; a draining one still answers what it was asked."""

    CREATING = "creating", "Creating"
    IN_SERVICE = "in_service", "In service"
    DRAINING = "draining", "Draining"
    DELETED = "deleted", "Deleted"
    FAILED = "failed", "Failed"


HELD = (DeploymentState.CREATING, DeploymentState.IN_SERVICE, DeploymentState.DRAINING)
UNSETTLED = (DeploymentState.CREATING, DeploymentState.IN_SERVICE)
"""States of what is live, or is to be: nothing in them ends by itself."""


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
    is_pinned = models.BooleanField(
        default=False, db_default=False, help_text="Whether it keeps its slot, however rarely it is asked."
    )
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


class CapacityPrediction(TenantModel):
    """What was expected of an endpoint when a deployment came to it, and what came of it. Only the operator sees it."""

    deployment = TenantOneToOneField(Deployment, models.CASCADE, related_name="prediction")
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="+")
    predicted = models.JSONField(help_text="p95_ms, waits_a_day, memory_bytes; null for what could not be said.")
    measured = models.JSONField(default=dict, help_text="The same, a day later.")
    loads_before = models.BigIntegerField(null=True, help_text="How often adapters had been put into slots by then.")
    due_at = models.DateTimeField()
    measured_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"Prediction for {self.deployment}"


class RecommendationState(models.TextChoices):
    """One that is over never runs again."""

    STARTING = "starting", "Starting"
    RUNNING = "running", "Running"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"
    STOPPED = "stopped", "Stopped"


class CapacityRecommendation(models.Model):
    """What a cloud was asked to recommend for an endpoint, and what it answered. Managed by the operator."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="recommendations")
    name = models.CharField(max_length=63, unique=True, help_text="In the cloud.")
    state = models.CharField(max_length=16, choices=RecommendationState, default=RecommendationState.STARTING)
    asked = models.JSONField(help_text="Goal, adapters, tokens of a request, requests at a time, machines.")
    answer = models.JSONField(default=list, help_text="The ways to serve it, the best first.")
    error_text = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("endpoint",), name="recommendation_running_once", condition=models.Q(ended_at=None)
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_over(self) -> bool:
        return self.ended_at is not None


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


class Router(TenantModel):
    """A model of the gateway that chooses another one for each request: rules in order, a classifier, a default.

    Models are named as requests name them: aliases of adapters, or base models. `revision` counts what was saved.
    """

    name = models.SlugField(max_length=60)
    rules = models.JSONField(
        default=list, help_text="In order: {id, kind: keyword or pattern, texts, target: name of a model}."
    )
    compiled = models.BinaryField(default=b"", help_text="The rules, as lorakit.route.table.Table dumps them.")
    default = models.CharField(max_length=80, blank=True, help_text="Model for what nothing fits; empty: refuse it.")
    classifier = models.CharField(max_length=40, blank=True, help_text="Name of a classifier; empty: none.")
    judge = models.CharField(max_length=80, blank=True, help_text="Whom the classifier asks, if it asks a judge.")
    floor = models.FloatField(default=0.7, help_text="Confidence from 0 to 1 below which a guess is not taken.")
    targets = models.JSONField(
        default=list, help_text="Models that the classifier chooses from: {name, description, examples: prompts}."
    )
    revision = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(fields=("tenant", "name"), name="router_name_once"),
            models.CheckConstraint(condition=models.Q(floor__gte=0, floor__lte=1), name="router_floor_is_a_share"),
        )

    def __str__(self) -> str:
        return self.name


class RouterLearning(TenantModel):
    """What a router's classifier learnt from examples, and how well it does on prompts that it did not learn.

    `source` identifies what it was learnt from, so that a change is noticed. `data` is the classifier's own.
    """

    router = TenantOneToOneField(Router, models.CASCADE, related_name="learning")
    source = models.CharField(max_length=64)
    data = models.BinaryField(default=b"")
    report = models.JSONField(default=dict, help_text="Prompts learnt and held out by model, and how those went.")
    learnt_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-learnt_at",)

    def __str__(self) -> str:
        return f"Learning of {self.router}"


class RouterHits(TenantModel):
    """Requests of an hour (UTC) that a router sent the same way. `router` is a copy of its name: hits outlive it."""

    hour = models.DateTimeField()
    router = models.CharField(max_length=60)
    by = models.CharField(max_length=16, help_text="rule, classifier or default")
    rule = models.CharField(max_length=36, blank=True, help_text="ID of the rule")
    target = models.CharField(max_length=80, blank=True, help_text="Model that answered; empty: refused.")
    requests = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ("-hour",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "router", "hour", "by", "rule", "target"), name="router_hits_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.router} {self.hour:%Y-%m-%d %H}h"


class TrialState(models.TextChoices):
    """A trial that has ended never runs again."""

    RUNNING = "running", "Running"
    PASSED = "passed", "No harm found"
    HALTED = "halted", "Halted"
    STOPPED = "stopped", "Stopped"


class Trial(TenantModel):
    """A version that answers a share of an alias's callers beside the live one: a canary, or an A/B test.

    Where the share is 0 it is a shadow: it answers copies of requests, and nobody sees what. What decides is fixed when
    it begins: `share`, `window` and `slow_ms`.
    """

    adapter = TenantForeignKey(Adapter, models.CASCADE, related_name="trials")
    live = TenantForeignKey(Deployment, models.PROTECT, related_name="+")
    candidate = TenantForeignKey(Deployment, models.PROTECT, related_name="+")
    job = TenantOneToOneField(Job, models.PROTECT, related_name="trial")
    state = models.CharField(max_length=16, choices=TrialState, default=TrialState.RUNNING)
    share = models.FloatField(help_text="of callers whom the candidate answers, from 0 to below 1")
    salt = models.CharField(max_length=32, help_text="Decides with the caller which version answers.")
    window = models.DurationField(help_text="from a caller’s first request, in which requests count")
    slow_ms = models.FloatField(null=True, help_text="Latency above which a request counts as slow; null: none does.")
    copies_wanted = models.PositiveIntegerField(
        default=0, help_text="Requests that the other version answers too, unseen, so that answers can be compared."
    )
    judging = models.JSONField(
        default=dict, help_text="Who compares the answers, by what, how far that is, and what came out; empty: nobody."
    )
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    figures = models.JSONField(default=dict, help_text="What was seen of the callers when it ended.")
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "adapter"), name="trial_running_once", condition=models.Q(state=TrialState.RUNNING)
            ),
            models.CheckConstraint(condition=models.Q(share__gte=0, share__lt=1), name="trial_share_is_a_share"),
        )

    def __str__(self) -> str:
        return f"{self.candidate.version} beside {self.live.version}"

    @property
    def percent(self) -> int:
        return round(self.share * 100)

    @property
    def kind(self) -> str:
        """For people."""
        if self.is_shadow:
            return "Shadow"
        return "Canary" if self.is_canary else "A/B test"

    @property
    def is_shadow(self) -> bool:
        """Whether nobody sees the candidate's answers."""
        return not self.share

    @property
    def is_canary(self) -> bool:
        """Whether it is part of a promotion, which switches at its end."""
        return "promotion" in self.job.spec


class TrialCaller(TenantModel):
    """A caller of a trial, known by a hash, and how the first requests of its window fared."""

    trial = TenantForeignKey(Trial, models.CASCADE, related_name="callers")
    caller = models.CharField(max_length=32)
    in_canary = models.BooleanField()
    closes_at = models.DateTimeField()
    requests = models.PositiveSmallIntegerField(default=0)
    errors = models.PositiveSmallIntegerField(default=0)
    slow = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("closes_at",)
        constraints = (models.UniqueConstraint(fields=("tenant", "trial", "caller"), name="trial_caller_once"),)

    def __str__(self) -> str:
        return self.caller


class TrialCopy(TenantModel):
    """One request of a trial's caller, and what both versions answered; the caller saw one of the answers."""

    trial = TenantForeignKey(Trial, models.CASCADE, related_name="copies")
    caller = models.CharField(max_length=32)
    messages = models.JSONField()
    live_text = models.TextField(blank=True)
    candidate_text = models.TextField(blank=True)
    error_code = models.CharField(
        max_length=80, blank=True, help_text="Why the copy has no answer; empty: both versions answered."
    )

    class Meta:
        ordering = ("created_at", "id")
        indexes = (models.Index(fields=("tenant", "trial", "created_at"), name="trial_copies_in_order"),)

    def __str__(self) -> str:
        return self.asked[:60]

    @property
    def asked(self) -> str:
        """What the caller said last."""
        return str(self.messages[-1].get("content") or "") if self.messages else ""


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
