"""What adapters are trained on: datasets and their immutable versions."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.lookups import IsNull

from jobs.models import Job
from tenants.isolation import TenantForeignKey, TenantOneToOneField
from tenants.models import TenantManager, TenantModel, User

NOT_LISTED = ("problems", "profile", "job__spec", "job__result")
"""Of a version with its job: large, and shown of one version alone."""


class DatasetQuerySet(models.QuerySet["Dataset"]):
    def with_latest(self) -> Self:
        """Each with its newest version, read by one more query; see `Dataset.latest`."""
        newest = DatasetVersion.objects.select_related("job").order_by("dataset_id", "-number").distinct("dataset_id")
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
        """The newest version of a dataset that came from `with_latest`."""
        return self.latest_versions[0] if self.latest_versions else None


class VersionState(models.TextChoices):
    """A version is checked once and never changes after it is ready."""

    CHECKING = "checking", "Checking"
    READY = "ready", "Ready"
    REJECTED = "rejected", "Rejected"


COLOURS = {VersionState.CHECKING: "blue", VersionState.READY: "green", VersionState.REJECTED: "red"}


class DatasetVersionQuerySet(models.QuerySet["DatasetVersion"]):
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
    upload_sha256 = models.CharField(max_length=64, blank=True)
    upload_bytes = models.BigIntegerField()
    upload_key = models.CharField(max_length=300)

    options = models.JSONField(default=dict, help_text="how the file is read; see corpora.ingest.contracts.Options")
    options_digest = models.CharField(max_length=32, blank=True, help_text="tells two sets of options apart")
    derived_from = TenantForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="derived", help_text="same file, other options"
    )

    train_key = models.CharField(max_length=300, blank=True)
    test_key = models.CharField(max_length=300, blank=True)
    index_key = models.CharField(max_length=300, blank=True, help_text="where each row lies; see corpora.ingest.index")
    findings_key = models.CharField(max_length=300, blank=True, help_text="every problem and notice, a line each")
    rows_sha256 = models.CharField(max_length=64, blank=True, help_text="over the training rows, then the test rows")
    row_count = models.PositiveIntegerField(default=0)
    train_count = models.PositiveIntegerField(default=0)
    test_count = models.PositiveIntegerField(default=0)
    problems = models.JSONField(default=list, help_text="the first problems: line, field, code, text")
    problem_count = models.PositiveIntegerField(default=0)
    profile = models.JSONField(default=dict, help_text="layout, warnings, lengths, rows by slice and label")
    personal_data_kept_at = models.DateTimeField(null=True, blank=True, help_text="somebody decided to keep it")
    personal_data_kept_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    error_code = models.CharField(max_length=80, blank=True)
    error_text = models.TextField(blank=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    objects: ClassVar[DatasetVersionManager[Self]] = DatasetVersionManager()

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=("tenant", "dataset", "number"), name="dataset_version_number_once"),
            # The same bytes read the same way are one version; a rejected file may be sent again. Where the bytes
            # went straight into storage, their hash is known only after the check.
            models.UniqueConstraint(
                fields=("tenant", "dataset", "upload_sha256", "options_digest"),
                name="dataset_version_file_once",
                condition=~models.Q(state=VersionState.REJECTED) & ~models.Q(upload_sha256=""),
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


class UploadState(models.TextChoices):
    """A file on its way to becoming a version."""

    RECEIVING = "receiving", "Uploading"
    INSPECTING = "inspecting", "Looking at it"
    WAITING = "waiting", "Waiting for you"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


UPLOAD_COLOURS = {
    UploadState.RECEIVING: "blue",
    UploadState.INSPECTING: "blue",
    UploadState.WAITING: "orange",
    UploadState.DONE: "green",
    UploadState.FAILED: "red",
}


class UploadQuerySet(models.QuerySet["Upload"]):
    def with_version(self) -> Self:
        """Each with its version and that one's job, as far as a list shows them."""
        return self.select_related("version__job").defer(*(f"version__{name}" for name in NOT_LISTED))

    def unfinished(self) -> Self:
        """Not yet a version that is checked; failed ones stay until they are cleared away."""
        return self.filter(~models.Q(state=UploadState.DONE) | models.Q(version__state=VersionState.CHECKING))

    def with_trouble(self) -> Self:
        """Each with `trouble`: why it cannot be read at all, None where at least its columns are known."""
        column = KeyTransform("0", KeyTransform("columns", "inspection"))
        text = KeyTextTransform("text", KeyTransform("0", KeyTransform("problems", "inspection")))
        return self.annotate(trouble=models.Case(models.When(models.Q(IsNull(column, True)), then=text), default=None))

    def holding_bytes(self) -> Self:
        """Whose file is ours to keep, whole or not; a version's file is counted with the version."""
        return self.exclude(state__in=(UploadState.DONE, UploadState.FAILED))

    def left_behind(self, *, before: datetime) -> Self:
        """Untouched since then, and nothing is at work on them."""
        idle = (UploadState.RECEIVING, UploadState.WAITING, UploadState.FAILED)
        return self.filter(state__in=idle, touched_at__lt=before)

    def whole(self, *, before: datetime) -> Self:
        """All bytes are here since then, and yet nothing goes on."""
        return self.filter(state=UploadState.RECEIVING, received=models.F("bytes"), touched_at__lt=before)


UploadManager = TenantManager.from_queryset(UploadQuerySet)


class Upload(TenantModel):
    """A file that is being received, and then how its head reads; confirmed, it becomes a dataset version.

    `received` bytes of `bytes` are safe. The file becomes a version of `dataset`, or of the one called
    `dataset_name`.
    """

    dataset = TenantForeignKey(Dataset, models.SET_NULL, null=True, blank=True, related_name="uploads")
    dataset_name = models.CharField(max_length=120, blank=True)
    file_name = models.CharField(max_length=255, help_text="the customer's name for the file; shown, never a path")
    bytes = models.BigIntegerField()
    received = models.BigIntegerField(default=0)
    state = models.CharField(max_length=16, choices=UploadState, default=UploadState.RECEIVING)
    key = models.CharField(max_length=300, help_text="where the file is or will be in storage")
    multipart_id = models.CharField(max_length=300, blank=True, help_text="of a multipart upload straight to storage")
    sha256 = models.CharField(max_length=64, blank=True)
    options = models.JSONField(default=dict, help_text="as the customer has set them so far")
    confirms_itself = models.BooleanField(default=False, help_text="becomes a version without being asked about")
    inspection = models.JSONField(default=dict, help_text="see corpora.ingest.contracts.Inspection")
    job = TenantForeignKey(Job, models.PROTECT, null=True, related_name="+", help_text="the latest inspection")
    version = TenantOneToOneField(DatasetVersion, models.SET_NULL, null=True, related_name="upload")
    error_code = models.CharField(max_length=80, blank=True)
    error_text = models.TextField(blank=True)
    touched_at = models.DateTimeField(auto_now_add=True, help_text="last time bytes came or somebody decided something")
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    objects: ClassVar[UploadManager[Self]] = UploadManager()

    class Meta:
        ordering = ("-created_at",)
        indexes = (models.Index(fields=("state", "touched_at"), name="upload_left_behind"),)

    def __str__(self) -> str:
        return self.file_name

    @property
    def state_colour(self) -> str:
        return UPLOAD_COLOURS[UploadState(self.state)]

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
        """Share of the bytes that are here."""
        return self.received / self.bytes
