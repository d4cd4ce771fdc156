"""Roll-ups of invocations."""

from typing import ClassVar

from django.db import models

from tenants.models import TenantModel


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
