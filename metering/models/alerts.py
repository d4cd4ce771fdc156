"""Alerts of all kinds, and the e-mails that tell of them."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from tenants.isolation import TenantForeignKey
from tenants.models import TenantManager, TenantModel, User


class AlertKind(models.TextChoices):
    """What an alert is about."""

    BUDGET = "budget", "Budget"
    FORECAST = "forecast", "Forecast"
    LATENCY = "latency", "Latency"
    ERRORS = "errors", "Failed requests"
    COST = "cost", "Cost"


class AlertQuerySet(models.QuerySet["Alert"]):
    def open(self) -> Self:
        """Those that have not ended."""
        return self.filter(ended_at=None)

    def unhandled(self) -> Self:
        """Open ones that nobody has acknowledged, and that are not snoozed."""
        awake = Q(snoozed_until=None) | Q(snoozed_until__lte=timezone.now())
        return self.open().filter(awake, acknowledged_at=None)


AlertManager = TenantManager.from_queryset(AlertQuerySet)


class Alert(TenantModel):
    """Something that needs a person. Of one kind and subject, at most one is open.

    `occasion` tells those of one subject apart, so that nothing is told twice. `data` is what webhooks are told.
    """

    kind = models.CharField(max_length=8, choices=AlertKind)
    subject = models.CharField(max_length=80, blank=True, help_text="a budget's ID, or a model; empty: all models")
    occasion = models.CharField(max_length=80)
    title = models.CharField(max_length=200)
    text = models.CharField(max_length=500)
    data = models.JSONField(default=dict)
    seen_at = models.DateTimeField(help_text="when it was last found to be so")
    ended_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    note = models.CharField(max_length=300, blank=True)
    snoozed_until = models.DateTimeField(null=True)

    objects: ClassVar[AlertManager[Self]] = AlertManager()

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(fields=("tenant", "kind", "subject", "occasion"), name="alert_once"),
            models.UniqueConstraint(
                fields=("tenant", "kind", "subject"), name="alert_open_once", condition=Q(ended_at=None)
            ),
        )
        indexes = (models.Index(fields=("tenant", "-created_at"), name="alert_newest"),)

    def __str__(self) -> str:
        return self.title

    @property
    def is_snoozed(self) -> bool:
        return self.snoozed_until is not None and self.snoozed_until > timezone.now()


class MailState(models.TextChoices):
    """Where an e-mail is."""

    WAITING = "waiting", "Waiting"
    SENT = "sent", "Sent"
    FAILED = "failed", "Given up"


class AlertMail(TenantModel):
    """An alert on its way to a person by e-mail. While it is being sent, `due_at` is when another worker may try."""

    alert = TenantForeignKey(Alert, models.CASCADE, related_name="mails")
    person = models.ForeignKey(User, models.CASCADE, related_name="+")
    state = models.CharField(max_length=8, choices=MailState, default=MailState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, help_text="null: it has ended")
    reason = models.CharField(max_length=200, blank=True, help_text="why it was not sent")

    class Meta:
        ordering = ("created_at",)
        constraints = (models.UniqueConstraint(fields=("tenant", "alert", "person"), name="alert_mail_once"),)
        indexes = (models.Index(fields=("due_at",), name="alert_mail_due", condition=Q(state="waiting")),)

    def __str__(self) -> str:
        return f"{self.alert_id} to {self.person_id}"
