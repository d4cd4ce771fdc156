"""Monthly statements: months that are closed, what each organisation was told, and what is added or taken off later.

Rows are never changed or deleted: the database refuses it, but for `finished_at`, which is set once, and the accounts
that are forgotten with their people.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from tenants.models import TenantModel, User


class StatementState(models.TextChoices):
    """Whether a statement can still change."""

    OPEN = "open", "Open"
    CLOSED = "closed", "Closed"


class ClosedMonth(models.Model):
    """A month (UTC) of the whole site whose costs no longer change. Months are closed in order.

    `month` is its first day. The statements of all organisations follow; `finished_at` is set after the last.
    """

    month = models.DateField(primary_key=True)
    closed_at = models.DateTimeField()
    closed_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", help_text="null: the site, or its command line"
    )
    is_by_hand = models.BooleanField(default=False, help_text="whether an operator closed it before it was due")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-month",)
        constraints = (models.CheckConstraint(condition=Q(month__day=1), name="closed_month_is_a_first"),)

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class Statement(TenantModel):
    """A closed statement as it was made; see `metering.statements.document`. Amounts are millionths of its currency.

    `sha256` is that of the document as canonical JSON.
    """

    month = models.DateField(help_text="first day")
    number = models.CharField(max_length=60, unique=True)
    document = models.JSONField()
    sha256 = models.CharField(max_length=64)
    due_micros = models.BigIntegerField(help_text="charges and adjustments")
    provider_micros = models.BigIntegerField(help_text="paid to the organisation's own providers")
    closed_at = models.DateTimeField()

    class Meta:
        ordering = ("-month",)
        constraints: ClassVar = (models.UniqueConstraint(fields=("tenant", "month"), name="statement_once"),)

    def __str__(self) -> str:
        return self.number


class AdjustmentKind(models.TextChoices):
    """Why a statement has a line that is not of its month's use."""

    CREDIT = "credit", "By the operator"
    LATE = "late", "Counted after its month was closed"


class Adjustment(TenantModel):
    """Added to the statement of `month`, or taken off. Late use is of an hour of a month that was closed already.

    The late costs of an hour of an endpoint sum to no more than what the operator bears of it. Late costs without an
    endpoint are those of a line of the statement, which `reason` names; their hour is the first of the month.
    """

    month = models.DateField(help_text="first day of the statement's month")
    kind = models.CharField(max_length=8, choices=AdjustmentKind)
    micros = models.BigIntegerField(help_text="below 0: a credit")
    reason = models.CharField(max_length=200, blank=True)
    of_month = models.DateField(null=True, blank=True, help_text="first day of the month that it is about")
    hour = models.DateTimeField(null=True, blank=True)
    endpoint = models.CharField(max_length=50, blank=True)
    alias = models.CharField(max_length=80, blank=True)
    version_key = models.CharField(max_length=36, blank=True)
    key = models.CharField(max_length=36, blank=True)
    requests = models.BigIntegerField(default=0)
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", help_text="null: the site, or its command line"
    )

    class Meta:
        ordering = ("created_at",)
        indexes = (
            models.Index(fields=("tenant", "month"), name="adjustment_of_statement"),
            models.Index(fields=("endpoint", "hour"), name="adjustment_of_hour", condition=Q(kind="late")),
        )
        constraints = (
            models.CheckConstraint(condition=Q(month__day=1), name="adjustment_of_a_month"),
            models.CheckConstraint(
                condition=Q(of_month=None) | Q(of_month__lte=F("month")), name="adjustment_of_the_past"
            ),
            models.CheckConstraint(
                condition=Q(kind="credit") | Q(kind="late", hour__isnull=False, of_month__isnull=False, micros__gt=0),
                name="late_use_has_an_hour",
            ),
        )

    def __str__(self) -> str:
        return self.reason or f"Late use of {self.hour:%Y-%m-%d %H}h"
