"""What is trained: base models, adapters and their versions."""

import uuid
from typing import ClassVar, Self

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from corpora.models import DatasetVersion
from jobs.models import Job
from tenants.isolation import TenantForeignKey, TenantOneToOneField
from tenants.models import TenantModel, User


class BaseModel(models.Model):
    """A model that adapters are trained on; the operator's, the same for every tenant."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.SlugField(unique=True, help_text="Name of the model, written into every adapter and used as `model`.")
    title = models.CharField(max_length=120)
    set_title = models.CharField(
        max_length=120,
        blank=True,
        default="",
        db_default="",
        help_text="What the settings called it when the site last started; any other title is an operator's.",
    )
    description = models.TextField(blank=True)
    location = models.CharField(max_length=500, help_text="folder or URI that the compute backend can read")
    architecture = models.CharField(max_length=80, blank=True, db_default="", help_text="As in `LlamaForCausalLM`.")
    licence = models.CharField(max_length=200, blank=True, db_default="", help_text="Its SPDX identifier, or in words.")
    source = models.CharField(max_length=300, blank=True, db_default="", help_text="Where the files are from.")
    sha256 = models.CharField(max_length=64, blank=True)
    parameters = models.BigIntegerField(default=0)
    context_length = models.PositiveIntegerField(default=2048)
    is_synthetic = models.BooleanField(default=False, help_text="Whether it is the tiny model of the embedded site.")
    sagemaker_uri = models.CharField(
        max_length=300,
        blank=True,
        default="",
        db_default="",
        help_text="S3 prefix with the same files, which SageMaker reads.",
    )
    training_instance = models.CharField(
        max_length=40, blank=True, default="", db_default="", help_text="SageMaker instance type; empty: the site's."
    )
    serving_instance = models.CharField(
        max_length=40, blank=True, default="", db_default="", help_text="That of new endpoints; empty: the site's."
    )
    checked_at = models.DateTimeField(null=True, blank=True)
    findings = models.JSONField(default=list, db_default=[], help_text="Of its last check: [{level, text}].")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("title",)

    def __str__(self) -> str:
        return self.title


class WorkState(models.TextChoices):
    """How far long work on a base model is."""

    WAITING = "waiting", "Waiting"
    RUNNING = "running", "In progress"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    STOPPED = "stopped", "Stopped"


OPEN = (WorkState.WAITING, WorkState.RUNNING)


class WorkQuerySet(models.QuerySet["BaseModelWork"]):
    """Long work on base models."""

    def open(self) -> Self:
        """What waits or is in progress."""
        return self.filter(state__in=OPEN)

    def running(self) -> Self:
        """What a process is known to be at."""
        return self.filter(state=WorkState.RUNNING, lease_expires_at__gt=Now())

    def left(self) -> Self:
        """What no process is at. One that was stopped has ended when its lease has, at the latest."""
        return self.filter(models.Q(lease_expires_at=None) | models.Q(lease_expires_at__lte=Now()))

    def due(self) -> Self:
        """What is open and no process is at, oldest first."""
        return self.open().left().order_by("created_at")


class BaseModelWork(models.Model):
    """Long work on a base model that an operator began on a page: it is added, or checked. Belongs to no tenant.

    A process holds it by a lease of the database's time; the fence rejects one that has lost it.
    """

    class Kind(models.TextChoices):
        ADD = "add", "Add"
        CHECK = "check", "Check"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=8, choices=Kind)
    name = models.SlugField(db_index=False, help_text="Of the base model, which need not be there yet.")
    base_model = models.ForeignKey(BaseModel, models.CASCADE, null=True, blank=True, related_name="work")
    source = models.CharField(max_length=500, blank=True, help_text="Where it is added from.")
    facts = models.JSONField(default=dict, help_text="What the operator said of it, by column of the base model.")
    state = models.CharField(max_length=8, choices=WorkState, default=WorkState.WAITING)
    state_since = models.DateTimeField(default=timezone.now)
    doing = models.CharField(max_length=200, blank=True)
    bytes_done = models.BigIntegerField(default=0)
    bytes_total = models.BigIntegerField(default=0, help_text="0 where that is not known.")
    error_text = models.TextField(blank=True)
    fence = models.PositiveIntegerField(default=0)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0, help_text="How often a process has begun it.")
    started_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[Self]] = WorkQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("name",), condition=models.Q(state__in=("waiting", "running")), name="base_model_work_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.name}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def fraction(self) -> float | None:
        """How much of it has been fetched, from 0 to 1."""
        return min(1.0, self.bytes_done / self.bytes_total) if self.bytes_total else None


class Adapter(TenantModel):
    """A named line of versions for one base model."""

    name = models.SlugField(max_length=60, help_text="Also its alias at the gateway.")
    description = models.TextField(blank=True)
    base_model = models.ForeignKey(BaseModel, models.PROTECT, related_name="+")
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("tenant", "name"), name="adapter_name_once"),)

    def __str__(self) -> str:
        return self.name


class Sweep(TenantModel):
    """Training runs of one adapter that differ in a few numbers, started together to find the best."""

    adapter = TenantForeignKey(Adapter, models.CASCADE, related_name="sweeps")
    grid = models.JSONField(default=dict, help_text="name of a hyperparameter -> the values tried")
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"Sweep of {self.adapter.name}"


class TrainingRun(TenantModel):
    """A request to train the next version of an adapter; its job says how it goes."""

    adapter = TenantForeignKey(Adapter, models.CASCADE, related_name="runs")
    dataset_version = TenantForeignKey(DatasetVersion, models.PROTECT, related_name="training_runs")
    job = TenantOneToOneField(Job, models.PROTECT, related_name="training_run")
    recipe = models.CharField(max_length=40)
    hyperparameters = models.JSONField(default=dict)
    sweep = TenantForeignKey(Sweep, models.PROTECT, null=True, blank=True, related_name="runs")
    resumed_from = TenantForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="resumptions",
        help_text="The run whose checkpoint it resumes.",
    )
    is_evaluated = models.BooleanField(
        default=False, db_default=False, help_text="Whether its version is evaluated as soon as it is trained."
    )
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.adapter.name}: {self.recipe}"


class AdapterVersion(TenantModel):
    """A trained, packaged, immutable adapter, named by the SHA-256 of its package."""

    adapter = TenantForeignKey(Adapter, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    run = TenantOneToOneField(TrainingRun, models.PROTECT, related_name="version")
    package_key = models.CharField(max_length=300)
    package_sha256 = models.CharField(max_length=64)
    package_bytes = models.BigIntegerField()
    rank = models.PositiveSmallIntegerField()
    manifest = models.JSONField(default=dict)
    metrics = models.JSONField(default=dict, help_text="Final losses, seconds and steps of the training.")
    registry_arn = models.CharField(
        max_length=300, blank=True, db_default="", help_text="ARN in the backend's model registry, if it has one."
    )

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=("tenant", "adapter", "number"), name="adapter_version_number_once"),
        )

    def __str__(self) -> str:
        return f"{self.adapter.name} v{self.number}"

    @property
    def short_hash(self) -> str:
        return self.package_sha256[:12]
