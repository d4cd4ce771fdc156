"""What a cloud counted of adapters and endpoints, by hour, and how far it has been read."""

import uuid
from typing import ClassVar

from django.db import models

from serving.models import Endpoint
from tenants.models import TenantModel


class ObservedFigures(models.Model):
    """An hour as the cloud tells it, read at `read_at`; null is no data. Percentiles are the cloud's own of that hour.

    See `metering.backends.base.ObservedHour`.
    """

    hour = models.DateTimeField()
    read_at = models.DateTimeField()
    requests = models.PositiveBigIntegerField(null=True)
    errors_4xx = models.PositiveBigIntegerField(null=True)
    errors_5xx = models.PositiveBigIntegerField(null=True)
    model_errors = models.PositiveBigIntegerField(null=True)
    p50_ms = models.FloatField(null=True)
    p95_ms = models.FloatField(null=True)
    p99_ms = models.FloatField(null=True)
    mean_ms = models.FloatField(null=True)
    overhead_ms = models.FloatField(null=True, help_text="The cloud's own mean time on top of the model's.")

    class Meta:
        abstract = True


class ObservedUsage(ObservedFigures, TenantModel):
    """An hour (UTC) of one deployment. A row is replaced when it is read again, never added to."""

    KEY: ClassVar[tuple[str, ...]] = ("tenant", "hour", "component")

    component = models.CharField(max_length=63, help_text="Name in the cloud: of a deployment on one endpoint.")
    deployment = models.CharField(max_length=63, help_text="Name of the deployment, which its usage outlives.")

    class Meta:
        ordering = ("-hour",)
        constraints = (models.UniqueConstraint(fields=("tenant", "hour", "component"), name="observed_usage_once"),)

    def __str__(self) -> str:
        return f"{self.component} {self.hour:%Y-%m-%d %H}h"


class ObservedEndpoint(ObservedFigures):
    """An hour (UTC) of an endpoint and its engine, for the operator: it belongs to no tenant.

    See `metering.backends.base.EndpointHour`.
    """

    KEY: ClassVar[tuple[str, ...]] = ("endpoint", "hour")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="+", db_index=False)
    first_chunk_p50_ms = models.FloatField(null=True)
    first_chunk_p95_ms = models.FloatField(null=True)
    stream_errors = models.PositiveBigIntegerField(null=True)
    no_capacity = models.PositiveBigIntegerField(null=True)
    concurrency = models.FloatField(null=True, help_text="Most requests at a time on a copy.")
    cpu_percent = models.FloatField(null=True)
    memory_percent = models.FloatField(null=True)
    gpu_percent = models.FloatField(null=True)
    gpu_memory_percent = models.FloatField(null=True)
    disk_percent = models.FloatField(null=True)
    first_token_p50_ms = models.FloatField(null=True)
    first_token_p95_ms = models.FloatField(null=True)
    token_gap_p50_ms = models.FloatField(null=True)
    token_gap_p95_ms = models.FloatField(null=True)
    cache_percent = models.FloatField(null=True)
    waiting = models.FloatField(null=True, help_text="Most requests that waited at a time.")
    prompt_tokens = models.PositiveBigIntegerField(null=True)
    completion_tokens = models.PositiveBigIntegerField(null=True)

    class Meta:
        ordering = ("-hour",)
        constraints = (models.UniqueConstraint(fields=("endpoint", "hour"), name="observed_endpoint_once"),)

    def __str__(self) -> str:
        return f"{self.endpoint} {self.hour:%Y-%m-%d %H}h"


class ObservedSource(models.Model):
    """A source of USAGE_SOURCES: who reads it now, and how the last reading went."""

    alias = models.CharField(max_length=40, primary_key=True)
    holder = models.UUIDField(null=True)
    held_until = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True, help_text="When everything that was due had been read.")
    error_code = models.CharField(max_length=80, blank=True)
    error_text = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.alias


class ObservedProgress(models.Model):
    """How far a component or an endpoint has been read: its name in the cloud, and full hours (UTC)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.CharField(max_length=40, help_text="alias of the source")
    name = models.CharField(max_length=63)
    is_endpoint = models.BooleanField(default=False)
    read_to = models.DateTimeField(help_text="Every hour before has been read at least once.")
    settled_to = models.DateTimeField(help_text="Every hour before was read when it no longer changed.")
    revisited_at = models.DateTimeField(null=True, help_text="When the last days were read again.")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("source", "name", "is_endpoint"), name="observed_progress_once"),
        )

    def __str__(self) -> str:
        return f"{self.name} to {self.read_to:%Y-%m-%d %H}h"


class EngineHour(models.Model):
    """The most memory, in bytes, that each part of an endpoint's engine took in an hour (UTC), as the engine told.

    Of several engines, that of the one that took most. `process` is what the process takes beside the other parts.
    """

    PARTS: ClassVar[tuple[str, ...]] = ("base", "slots", "cache", "process")

    pk = models.CompositePrimaryKey("endpoint", "hour")
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="+", db_index=False)
    hour = models.DateTimeField()
    base_bytes = models.BigIntegerField(null=True)
    slots_bytes = models.BigIntegerField(null=True)
    cache_bytes = models.BigIntegerField(null=True)
    process_bytes = models.BigIntegerField(null=True)

    class Meta:
        ordering = ("-hour",)

    def __str__(self) -> str:
        return f"{self.endpoint} {self.hour:%Y-%m-%d %H}h"
