"""Invocations and their hourly roll-ups."""

from typing import ClassVar

from django.db import models

from tenants.models import TenantModel


class Invocation(TenantModel):
    """One request at the gateway, as its ledger recorded it. Never holds the prompt or the answer.

    `version_id` and `deployment` are copies, not keys: usage outlives what was used.
    """

    request_id = models.CharField(max_length=40)
    at = models.DateTimeField()
    key_id = models.UUIDField(null=True)
    alias = models.CharField(max_length=80)
    version_id = models.UUIDField(null=True, help_text="null: the base model")
    deployment = models.CharField(max_length=63, blank=True)
    status = models.PositiveSmallIntegerField()
    error_code = models.CharField(max_length=80, blank=True)
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    latency_ms = models.FloatField()
    first_token_ms = models.FloatField(null=True)
    busy_ms = models.FloatField(default=0.0, help_text="the endpoint's own time for this request")
    streamed = models.BooleanField(default=False)

    class Meta:
        ordering = ("-at",)
        indexes = (models.Index(fields=("tenant", "-at"), name="invocation_newest"),)
        constraints = (models.UniqueConstraint(fields=("tenant", "request_id"), name="invocation_once"),)

    def __str__(self) -> str:
        return self.request_id


class RollUp(TenantModel):
    """Sums of invocations. `latency_sketch` holds the latencies of answered ones, see `metering.ledger.sketches`."""

    KEY: ClassVar[tuple[str, ...]]

    requests = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0)
    prompt_tokens = models.BigIntegerField(default=0)
    completion_tokens = models.BigIntegerField(default=0)
    busy_ms = models.FloatField(default=0.0)
    latency_sketch = models.BinaryField(default=b"")

    class Meta:
        abstract = True


class HourlyUsage(RollUp):
    """An hour (UTC) of one alias and version."""

    KEY = ("tenant_id", "hour", "alias", "version_key")

    hour = models.DateTimeField()
    alias = models.CharField(max_length=80)
    version_key = models.CharField(max_length=36, blank=True, help_text="version id, or empty for the base model")

    class Meta:
        ordering = ("-hour",)
        constraints = (
            models.UniqueConstraint(fields=("tenant", "hour", "alias", "version_key"), name="hourly_usage_once"),
        )

    def __str__(self) -> str:
        return f"{self.alias} {self.hour:%Y-%m-%d %H}h"


class DailyUsage(RollUp):
    """A day (UTC) of one alias and version: the sum of its hours, so that a month is read from few rows."""

    KEY = ("tenant_id", "day", "alias", "version_key")

    day = models.DateField()
    alias = models.CharField(max_length=80)
    version_key = models.CharField(max_length=36, blank=True, help_text="version id, or empty for the base model")

    class Meta:
        ordering = ("-day",)
        constraints = (
            models.UniqueConstraint(fields=("tenant", "day", "alias", "version_key"), name="daily_usage_once"),
        )

    def __str__(self) -> str:
        return f"{self.alias} {self.day}"


class HourlyTotal(RollUp):
    """An hour (UTC) of all aliases and versions together."""

    KEY = ("tenant_id", "hour")

    hour = models.DateTimeField()

    class Meta:
        ordering = ("-hour",)
        constraints = (models.UniqueConstraint(fields=("tenant", "hour"), name="hourly_total_once"),)

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h"


class LedgerFile(models.Model):
    """How far a ledger file has been read: the offset moves in the transaction that inserts its rows."""

    name = models.CharField(max_length=120, primary_key=True)
    offset = models.BigIntegerField(default=0)
    broken_lines = models.PositiveIntegerField(default=0, help_text="lines that could not be read, and were skipped")
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.name}@{self.offset}"
