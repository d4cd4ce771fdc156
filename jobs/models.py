"""Jobs: one row for each piece of long-running work, and the events it reported."""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from jobs.states import ACTIVE, TERMINAL, State
from tenants.isolation import TenantForeignKey
from tenants.models import TenantManager, TenantModel, User


class JobQuerySet(models.QuerySet["Job"]):
    def active(self) -> Self:
        """Jobs that have started and not ended."""
        return self.filter(state__in=ACTIVE)

    def queued(self) -> Self:
        """Jobs that wait for their turn, oldest first."""
        return self.filter(state=State.QUEUED).order_by("created_at")

    def with_leftovers(self, *, ended_before: datetime) -> Self:
        """Jobs that ended before `ended_before` and whose runs their backend may still keep."""
        kept = self.filter(state__in=TERMINAL, run_discarded=False, finished_at__lt=ended_before)
        never_ran = models.Q(backend="") | models.Q(external_name="", attempt=1)
        # A job that was to resume another's checkpoints leaves those behind even if it never ran.
        return kept.exclude(never_ran & ~models.Q(spec__has_key="checkpoint_of"))

    def due(self) -> Self:
        """Active jobs whose next step is due and that no worker has claimed."""
        free = models.Q(lease_expires_at=None) | models.Q(lease_expires_at__lt=Now())
        return self.active().filter(free, due_at__lte=Now())


JobManager = TenantManager.from_queryset(JobQuerySet)


class Job(TenantModel):
    """A piece of long-running work. Only `jobs.states.transition` writes `state`."""

    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=160)
    spec = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    phase = models.CharField(max_length=40, blank=True)
    fraction = models.FloatField(default=0.0)
    eta_seconds = models.FloatField(null=True, blank=True)
    cost_units = models.FloatField(default=1.0, help_text="Units of its tenant's credit in the fair queue.")

    backend = models.CharField(max_length=40, blank=True)
    external_name = models.CharField(max_length=63, blank=True)
    discard_begun = models.BooleanField(
        default=False, db_default=False, help_text="Its run and checkpoints are being deleted."
    )
    run_discarded = models.BooleanField(
        default=False, help_text="Its run and checkpoints have been deleted from the backend."
    )
    events_cursor = models.BigIntegerField(default=0)
    attempt = models.PositiveSmallIntegerField(default=1)
    max_attempts = models.PositiveSmallIntegerField(
        default=5, help_text="Maximum number of attempts in a row without progress."
    )
    attempts_without_progress = models.PositiveSmallIntegerField(
        default=1, help_text="Attempts in a row without progress, including the current one."
    )
    furthest_step = models.PositiveIntegerField(
        default=0, help_text="Highest step that any attempt has reported or saved."
    )
    fence = models.BigIntegerField(default=0)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(default=timezone.now)

    error_code = models.CharField(max_length=80, blank=True)
    error_text = models.TextField(blank=True)
    result = models.JSONField(default=dict)

    billable_seconds = models.FloatField(default=0.0)
    billed_attempt = models.PositiveSmallIntegerField(default=0)
    usd_per_hour = models.DecimalField(max_digits=10, decimal_places=4, null=True, blank=True)
    price_source = models.CharField(max_length=200, blank=True)

    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[JobManager[Self]] = JobManager()

    class Meta:
        ordering = ("-created_at",)
        indexes = (
            models.Index(fields=("tenant", "-created_at"), name="job_newest"),
            models.Index(fields=("tenant", "state", "-created_at"), name="job_newest_of_state"),
            # With all that costs are added up from, so that a month of jobs is read without their rows.
            models.Index(
                fields=("tenant", "finished_at"),
                name="job_billed",
                include=("kind", "usd_per_hour", "price_source", "billable_seconds"),
                condition=models.Q(billable_seconds__gt=0),
            ),
            models.Index(fields=("due_at",), name="job_due", condition=models.Q(state__in=sorted(ACTIVE))),
            models.Index(
                fields=("backend", "tenant", "created_at"), name="job_in_line", condition=models.Q(state=State.QUEUED)
            ),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "external_name"), name="job_external_name_once", condition=~models.Q(external_name="")
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def is_terminal(self) -> bool:
        return self.state in TERMINAL

    @property
    def seconds(self) -> float | None:
        """Wall-clock seconds from the start to the end, or to now."""
        if self.started_at is None:
            return None
        elapsed: timedelta = (self.finished_at or timezone.now()) - self.started_at
        return elapsed.total_seconds()

    @property
    def cost_usd(self) -> float | None:
        """Measured seconds times the price recorded when the work was submitted; None without a known price."""
        return self.cost_of(self.billable_seconds)

    def cost_of(self, seconds: float) -> float | None:
        """What some seconds of its run cost; nothing where it has none."""
        if not seconds:
            return 0.0
        return None if self.usd_per_hour is None else seconds / 3600 * float(self.usd_per_hour)


class JobEvent(TenantModel):
    """A line that a run reported, as in `progress.jsonl`."""

    job = TenantForeignKey(Job, models.CASCADE, related_name="events")
    attempt = models.PositiveSmallIntegerField()
    seq = models.PositiveIntegerField()
    at = models.DateTimeField()
    type = models.CharField(max_length=20)
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ("attempt", "seq")
        constraints = (models.UniqueConstraint(fields=("tenant", "job", "attempt", "seq"), name="job_event_once"),)

    def __str__(self) -> str:
        return f"{self.type} {self.attempt}.{self.seq}"


class QueueShare(TenantModel):
    """A tenant's place in the fair queue: its unspent credit and when it was last served."""

    credit = models.FloatField(default=0.0)
    served_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("tenant",), name="queue_share_once"),)

    def __str__(self) -> str:
        return f"{self.tenant_id}: {self.credit}"
