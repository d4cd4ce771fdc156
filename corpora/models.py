"""What adapters are trained on: datasets and their immutable versions."""

from typing import ClassVar, Self

from django.db import models

from jobs.models import Job
from tenants.isolation import TenantForeignKey, TenantOneToOneField
from tenants.models import TenantManager, TenantModel, TenantQuerySet, User


class DatasetQuerySet(TenantQuerySet["Dataset"]):
    def with_latest(self) -> Self:
        """Each with its newest version, read by one more query; see `Dataset.latest`."""
        newest = DatasetVersion.objects.select_related("job").order_by("dataset_id", "-number").distinct("dataset_id")
        return self.prefetch_related(models.Prefetch("versions", queryset=newest, to_attr="latest_versions"))


DatasetManager = TenantManager.from_queryset(DatasetQuerySet)


class Dataset(TenantModel):
    """A named line of versions."""

    latest_versions: "list[DatasetVersion]"

    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    objects: ClassVar[DatasetManager[Self]] = DatasetManager()

    class Meta:
        ordering = ("-created_at",)
        constraints = (models.UniqueConstraint(fields=("tenant", "name"), name="dataset_name_once"),)

    def __str__(self) -> str:
        return self.name

    @property
    def latest(self) -> "DatasetVersion | None":
        """The newest version of a dataset that came from `with_latest`."""
        return self.latest_versions[0] if self.latest_versions else None


class VersionState(models.TextChoices):
    """A version is checked once and never changes after it is ready."""

    CHECKING = "checking", "Checking"
    READY = "ready", "Ready"
    REJECTED = "rejected", "Rejected"


COLOURS = {VersionState.CHECKING: "blue", VersionState.READY: "green", VersionState.REJECTED: "red"}


class DatasetVersionQuerySet(TenantQuerySet["DatasetVersion"]):
    def ready(self) -> Self:
        """Checked and usable for training."""
        return self.filter(state=VersionState.READY)


DatasetVersionManager = TenantManager.from_queryset(DatasetVersionQuerySet)


class DatasetVersion(TenantModel):
    """The rows of one uploaded file, split into train and test."""

    dataset = TenantForeignKey(Dataset, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=16, choices=VersionState, default=VersionState.CHECKING)
    job = TenantOneToOneField(Job, models.PROTECT, null=True, related_name="dataset_version")

    file_name = models.CharField(max_length=255, help_text="the customer's name for the file; shown, never a path")
    file_format = models.CharField(max_length=20, blank=True)
    upload_sha256 = models.CharField(max_length=64)
    upload_bytes = models.BigIntegerField()
    upload_key = models.CharField(max_length=300)

    rows_key = models.CharField(max_length=300, blank=True, help_text="checked rows, canonical JSONL")
    train_key = models.CharField(max_length=300, blank=True)
    test_key = models.CharField(max_length=300, blank=True)
    rows_sha256 = models.CharField(max_length=64, blank=True)
    row_count = models.PositiveIntegerField(default=0)
    train_count = models.PositiveIntegerField(default=0)
    test_count = models.PositiveIntegerField(default=0)
    problems = models.JSONField(default=list, help_text="the first problems: line, field, code, text")
    problem_count = models.PositiveIntegerField(default=0)
    profile = models.JSONField(default=dict, help_text="layout, warnings, lengths, rows by slice and label")
    preview = models.JSONField(default=list, help_text="the first rows")
    error_code = models.CharField(max_length=80, blank=True)
    error_text = models.TextField(blank=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    objects: ClassVar[DatasetVersionManager[Self]] = DatasetVersionManager()

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=("tenant", "dataset", "number"), name="dataset_version_number_once"),
            # The same bytes twice in one dataset are one version; a rejected file may be sent again.
            models.UniqueConstraint(
                fields=("tenant", "dataset", "upload_sha256"),
                name="dataset_version_bytes_once",
                condition=~models.Q(state=VersionState.REJECTED),
            ),
        )

    def __str__(self) -> str:
        return f"{self.dataset.name} v{self.number}"

    @property
    def state_colour(self) -> str:
        return COLOURS[VersionState(self.state)]

    @property
    def is_ready(self) -> bool:
        return self.state == VersionState.READY

    @property
    def is_checking(self) -> bool:
        return self.state == VersionState.CHECKING
