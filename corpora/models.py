"""Datasets, their immutable versions, and uploads."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.lookups import IsNull

from jobs.models import Job
from tenants.isolation import TenantForeignKey, TenantOneToOneField
from tenants.models import TenantManager, TenantModel, User

NOT_LISTED = ("problems", "profile", "job__spec", "job__result")
"""Large fields of a version and its job, deferred in lists and loaded only for a single version."""


class DatasetQuerySet(models.QuerySet["Dataset"]):
    def with_latest(self) -> Self:
        """Prefetch each dataset's newest version and its newest ready one in one extra query.

        See `Dataset.latest` and `Dataset.usable`.
        """
        versions = DatasetVersion.objects.annotate(passed=models.Q(state=VersionState.READY)).select_related("job")
        newest = versions.order_by("dataset_id", "passed", "-number").distinct("dataset_id", "passed")
        listed = newest.defer(*NOT_LISTED)
        return self.prefetch_related(models.Prefetch("versions", queryset=listed, to_attr="latest_versions"))


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
        """The newest version, or None. The dataset must come from `with_latest`."""
        return max(self.latest_versions, key=lambda version: version.number, default=None)

    @property
    def usable(self) -> "DatasetVersion | None":
        """The newest version that passed its check, or None. The dataset must come from `with_latest`."""
        return next((version for version in self.latest_versions if version.is_ready), None)


class VersionState(models.TextChoices):
    """States of a version. It is checked once and never changes once it is ready."""

    CHECKING = "checking", "Checking"
    READY = "ready", "Ready"
    REJECTED = "rejected", "Rejected"


class DatasetVersionQuerySet(models.QuerySet["DatasetVersion"]):
    def ready(self) -> Self:
        """Versions that passed their check."""
        return self.filter(state=VersionState.READY)

    def trainable(self) -> Self:
        """Ready versions that are not kept for evaluation."""
        return self.ready().filter(is_evaluation_set=False)

    def evaluation_sets(self) -> Self:
        """Ready versions that are kept for evaluation."""
        return self.ready().filter(is_evaluation_set=True)


DatasetVersionManager = TenantManager.from_queryset(DatasetVersionQuerySet)


class DatasetVersion(TenantModel):
    """The rows of one uploaded file, split into train and test."""

    dataset = TenantForeignKey(Dataset, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=16, choices=VersionState, default=VersionState.CHECKING)
    job = TenantOneToOneField(Job, models.PROTECT, null=True, related_name="dataset_version")

    file_name = models.CharField(max_length=255, help_text="original file name, for display only")
    file_format = models.CharField(max_length=20, blank=True)
    upload_sha256 = models.CharField(max_length=64, blank=True)
    upload_bytes = models.BigIntegerField()
    upload_key = models.CharField(max_length=300)

    options = models.JSONField(default=dict, help_text="import options, see corpora.ingest.contracts.Options")
    options_from = models.PositiveIntegerField(
        null=True, blank=True, help_text="number of the version whose options it began with"
    )
    options_digest = models.CharField(max_length=32, blank=True, help_text="hash of the options")
    derived_from = TenantForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="derived",
        help_text="version of the same file with other options",
    )

    train_key = models.CharField(max_length=300, blank=True)
    test_key = models.CharField(max_length=300, blank=True)
    index_key = models.CharField(max_length=300, blank=True, help_text="byte positions of the rows")
    findings_key = models.CharField(max_length=300, blank=True, help_text="all problems and notices, one per line")
    rows_sha256 = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of the digests of the training rows and the test rows"
    )
    rows_bytes = models.BigIntegerField(
        default=0, db_default=0, help_text="of the rows, their index and the findings in storage"
    )
    row_count = models.PositiveIntegerField(default=0)
    train_count = models.PositiveIntegerField(default=0)
    test_count = models.PositiveIntegerField(default=0)
    problems = models.JSONField(default=list, help_text="the first problems: line, field, code, text")
    problem_count = models.PositiveIntegerField(default=0)
    profile = models.JSONField(default=dict, help_text="layout, warnings, lengths, rows per slice and label")
    is_evaluation_set = models.BooleanField(
        default=False, db_default=False, help_text="All its rows are asked in evaluations, and none is trained on."
    )
    personal_data_kept_at = models.DateTimeField(
        null=True, blank=True, help_text="when a person decided to keep the personal data"
    )
    personal_data_kept_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    error_code = models.CharField(max_length=80, blank=True)
    error_text = models.TextField(blank=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    objects: ClassVar[DatasetVersionManager[Self]] = DatasetVersionManager()

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=("tenant", "dataset", "number"), name="dataset_version_number_once"),
            # The same file with the same options is one version. A rejected file may be uploaded again. The hash of
            # a file that was uploaded directly to storage is known only after the check.
            models.UniqueConstraint(
                fields=("tenant", "dataset", "upload_sha256", "options_digest"),
                name="dataset_version_file_once",
                condition=~models.Q(state=VersionState.REJECTED) & ~models.Q(upload_sha256=""),
            ),
        )

    def __str__(self) -> str:
        return f"{self.dataset.name} v{self.number}"

    @property
    def is_ready(self) -> bool:
        return self.state == VersionState.READY

    @property
    def is_checking(self) -> bool:
        return self.state == VersionState.CHECKING


class UploadState(models.TextChoices):
    """States of an upload, from its first byte to a dataset version."""

    RECEIVING = "receiving", "Uploading"
    INSPECTING = "inspecting", "Inspecting"
    WAITING = "waiting", "Needs review"
    DONE = "done", "Imported"
    FAILED = "failed", "Failed"


class UploadQuerySet(models.QuerySet["Upload"]):
    def with_version(self) -> Self:
        """Select each upload's version and its job, without the fields that lists do not show."""
        return self.select_related("version__job").defer(*(f"version__{name}" for name in NOT_LISTED))

    def unfinished(self) -> Self:
        """Uploads whose version has not been checked yet, and failed uploads that have not been removed."""
        return self.filter(~models.Q(state=UploadState.DONE) | models.Q(version__state=VersionState.CHECKING))

    def with_trouble(self) -> Self:
        """Annotate `trouble`: why the file cannot be read at all, or None if at least its columns are known."""
        column = KeyTransform("0", KeyTransform("columns", "inspection"))
        text = KeyTextTransform("text", KeyTransform("0", KeyTransform("problems", "inspection")))
        return self.annotate(trouble=models.Case(models.When(models.Q(IsNull(column, True)), then=text), default=None))

    def holding_bytes(self) -> Self:
        """Uploads that hold a file, complete or not. The file of an imported upload counts with its version."""
        return self.exclude(state__in=(UploadState.DONE, UploadState.FAILED))

    def left_behind(self, *, before: datetime) -> Self:
        """Uploads that no request or job has touched since `before`."""
        idle = (UploadState.RECEIVING, UploadState.WAITING, UploadState.FAILED)
        return self.filter(state__in=idle, touched_at__lt=before)

    def whole(self, *, before: datetime) -> Self:
        """Uploads that have had all their bytes since `before` but are still in the state `receiving`."""
        return self.filter(state=UploadState.RECEIVING, received=models.F("bytes"), touched_at__lt=before)


UploadManager = TenantManager.from_queryset(UploadQuerySet)


class Upload(TenantModel):
    """A file that is received, inspected and then imported as a dataset version.

    `received` of `bytes` bytes are safely stored. The file becomes a version of `dataset`, or of the dataset called
    `dataset_name`.
    """

    dataset = TenantForeignKey(Dataset, models.SET_NULL, null=True, blank=True, related_name="uploads")
    dataset_name = models.CharField(max_length=120, blank=True)
    file_name = models.CharField(max_length=255, help_text="original file name, for display only")
    bytes = models.BigIntegerField()
    received = models.BigIntegerField(default=0)
    state = models.CharField(max_length=16, choices=UploadState, default=UploadState.RECEIVING)
    key = models.CharField(max_length=300, help_text="object key of the file in storage")
    multipart_id = models.CharField(
        max_length=300, blank=True, help_text="id of a multipart upload directly to storage"
    )
    sha256 = models.CharField(max_length=64, blank=True)
    options = models.JSONField(default=dict, help_text="import options that have been set so far")
    options_from = models.PositiveIntegerField(
        null=True, blank=True, help_text="number of the version whose options it began with"
    )
    dropped_columns = models.JSONField(
        default=list, db_default=[], blank=True, help_text="columns of those options that the file does not have"
    )
    confirms_itself = models.BooleanField(default=False, help_text="whether the file is imported without a review")
    inspection = models.JSONField(default=dict, help_text="see corpora.ingest.contracts.Inspection")
    job = TenantForeignKey(Job, models.PROTECT, null=True, related_name="+", help_text="the latest inspection")
    version = TenantOneToOneField(DatasetVersion, models.SET_NULL, null=True, related_name="upload")
    error_code = models.CharField(max_length=80, blank=True)
    error_text = models.TextField(blank=True)
    touched_at = models.DateTimeField(
        auto_now_add=True, help_text="last time data arrived or a person changed the upload"
    )
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    objects: ClassVar[UploadManager[Self]] = UploadManager()

    class Meta:
        ordering = ("-created_at",)
        indexes = (models.Index(fields=("state", "touched_at"), name="upload_left_behind"),)

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_receiving(self) -> bool:
        return self.state == UploadState.RECEIVING

    @property
    def is_inspecting(self) -> bool:
        return self.state == UploadState.INSPECTING

    @property
    def is_waiting(self) -> bool:
        return self.state == UploadState.WAITING

    @property
    def is_done(self) -> bool:
        return self.state == UploadState.DONE

    @property
    def fraction(self) -> float:
        """Share of the bytes received, 0..1."""
        return self.received / self.bytes
