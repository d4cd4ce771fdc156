"""Roll-ups of invocations."""

from typing import ClassVar

from django.db import models

from tenants.models import TenantRow


class By(models.TextChoices):
    """What usage is broken down by."""

    ALL = "", "All together"
    MODEL = "model", "Model"
    VERSION = "version", "Version"
    ENDPOINT = "endpoint", "Endpoint"
    KEY = "key", "API key"


class Grain(models.TextChoices):
    """How long the time is that a row sums up (UTC)."""

    HOUR = "hour", "Hour"
    DAY = "day", "Day"
    MONTH = "month", "Month"


def version_value(alias: str, version_key: str) -> str:
    """What a version is told apart by; it says its model too, since usage outlives what was used."""
    return f"{alias}/{version_key}" if version_key else alias


class RollUp(TenantRow):
    """Sums of invocations.

    Times are in microseconds, whole so that sums are the same in any order. A failed request was `refused` (4xx),
    `limited` (429), `failed` by the endpoint or the site (5xx), or its caller `disconnected` (499). `timed` counts the
    requests whose endpoint told how long they queued. What the endpoint cost, used and idle, is in millionths of
    a US dollar; `unpriced` counts the requests that have no cost yet. Sketches (`metering.ledger.sketches`) hold
    milliseconds: the latencies of answered requests, and the times to the first token of streamed ones.
    """

    KEY: ClassVar[tuple[str, ...]]
    SUMS: ClassVar[tuple[str, ...]] = (
        "requests", "refused", "limited", "failed", "disconnected", "prompt_tokens", "cached_tokens",
        "completion_tokens", "cold_starts", "busy_us", "queue_us", "timed", "unpriced", "used_micros", "idle_micros",
    )  # fmt: skip
    SKETCHES: ClassVar[tuple[str, ...]] = ("latency_sketch", "first_token_sketch")

    requests = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    limited = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    disconnected = models.BigIntegerField(default=0)
    prompt_tokens = models.BigIntegerField(default=0)
    cached_tokens = models.BigIntegerField(default=0)
    completion_tokens = models.BigIntegerField(default=0)
    cold_starts = models.BigIntegerField(default=0)
    busy_us = models.BigIntegerField(default=0)
    queue_us = models.BigIntegerField(default=0)
    timed = models.BigIntegerField(default=0)
    unpriced = models.BigIntegerField(default=0)
    used_micros = models.BigIntegerField(default=0)
    idle_micros = models.BigIntegerField(default=0)
    latency_sketch = models.BinaryField(default=b"")
    first_token_sketch = models.BinaryField(default=b"")

    class Meta:
        abstract = True

    @property
    def errors(self) -> int:
        """Failed requests of all kinds."""
        return self.refused + self.limited + self.failed + self.disconnected


class HourlyUsage(RollUp):
    """An hour (UTC) of one model, version, endpoint and key: the finest there is, and what costs are shared by."""

    KEY = ("tenant_id", "hour", "alias", "version_key", "endpoint", "key")

    pk = models.CompositePrimaryKey("tenant_id", "hour", "alias", "version_key", "endpoint", "key")
    hour = models.DateTimeField()
    alias = models.CharField(max_length=80, blank=True, help_text="empty: a model that does not exist")
    version_key = models.CharField(max_length=36, blank=True, help_text="version id, or empty for the base model")
    endpoint = models.CharField(max_length=50, blank=True)
    key = models.CharField(max_length=36, blank=True, help_text="id of the API key, or empty for the portal itself")

    class Meta:
        ordering = ("-hour",)
        indexes = (
            models.Index(fields=("tenant", "alias", "hour"), name="hourly_usage_of_model"),
            models.Index(fields=("endpoint", "hour"), name="hourly_usage_unpriced", condition=models.Q(unpriced__gt=0)),
        )

    def __str__(self) -> str:
        return f"{self.alias} {self.hour:%Y-%m-%d %H}h"


class UsageTotal(RollUp):
    """An hour, day or month of everything that has the same version, endpoint or key, or of all together.

    The `value` of a version is `MODEL/VERSION_ID`, or the name of a base model; see `version_value`. A model's usage is
    the sum of its versions'. Versions have no hours here, since most of theirs are rows of `HourlyUsage`.
    """

    KEY = ("tenant_id", "by", "grain", "start", "value")

    pk = models.CompositePrimaryKey("tenant_id", "by", "grain", "start", "value")
    by = models.CharField(max_length=8, choices=By, blank=True)
    grain = models.CharField(max_length=5, choices=Grain)
    start = models.DateTimeField()
    value = models.CharField(max_length=120, blank=True, db_collation="C")

    class Meta:
        ordering = ("-start",)
        indexes = (models.Index(fields=("tenant", "by", "value", "grain", "start"), name="usage_total_of_value"),)

    def __str__(self) -> str:
        return f"{self.by} {self.value} {self.grain} {self.start:%Y-%m-%d %H}h"
