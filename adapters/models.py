"""What is trained: base models, adapters and their versions."""

import uuid

from django.db import models

from corpora.models import DatasetVersion
from jobs.models import Job
from tenants.isolation import TenantForeignKey, TenantOneToOneField
from tenants.models import TenantModel, User


class BaseModel(models.Model):
    """A model that adapters are trained on; the operator's, the same for every tenant."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.SlugField(unique=True, help_text="Name of the model, written into every adapter and used as `model`.")
    title = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    location = models.CharField(max_length=500, help_text="folder or URI that the compute backend can read")
    architecture = models.CharField(max_length=80, blank=True, db_default="", help_text="As in `LlamaForCausalLM`.")
    licence = models.CharField(max_length=200, blank=True, db_default="", help_text="Its SPDX identifier, or in words.")
    source = models.CharField(max_length=300, blank=True, db_default="", help_text="Where the files are from.")
    sha256 = models.CharField(max_length=64, blank=True)
    parameters = models.BigIntegerField(default=0)
    context_length = models.PositiveIntegerField(default=2048)
    is_synthetic = models.BooleanField(default=False, help_text="Whether it is the tiny model of the embedded site.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("title",)

    def __str__(self) -> str:
        return self.title


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
