"""Invocations, and how far the ledgers they come from have been read."""

from django.db import models

from tenants.models import TenantRow


class Invocation(TenantRow):
    """One request at the gateway, as its ledger recorded it. Never holds the prompt or the answer.

    `version_id`, `deployment` and `endpoint` are copies, not keys: usage outlives what was used. The table has a
    partition for each month (UTC), which `metering.ledger.months` adds and drops.
    """

    pk = models.CompositePrimaryKey("tenant_id", "at", "request_id")
    at = models.DateTimeField()
    request_id = models.CharField(max_length=40)
    key_id = models.UUIDField(null=True)
    alias = models.CharField(max_length=80)
    version_id = models.UUIDField(null=True, help_text="null: the base model")
    endpoint = models.CharField(max_length=50, blank=True)
    deployment = models.CharField(max_length=63, blank=True)
    status = models.PositiveSmallIntegerField()
    error_code = models.CharField(max_length=80, blank=True)
    prompt_tokens = models.PositiveIntegerField(default=0)
    cached_tokens = models.PositiveIntegerField(default=0, help_text="of the prompt's, not read again")
    completion_tokens = models.PositiveIntegerField(default=0)
    latency_ms = models.FloatField()
    first_token_ms = models.FloatField(null=True)
    queue_ms = models.FloatField(null=True, help_text="null: the endpoint did not tell")
    busy_ms = models.FloatField(default=0.0, help_text="the endpoint's own time for this request")
    cold_start = models.BooleanField(default=False, help_text="whether the adapter had to be loaded first")
    streamed = models.BooleanField(default=False)

    class Meta:
        ordering = ("-at",)

    def __str__(self) -> str:
        return self.request_id


class LedgerFile(models.Model):
    """How far a ledger file has been read: the offset moves in the transaction that inserts its rows."""

    name = models.CharField(max_length=120, primary_key=True)
    offset = models.BigIntegerField(default=0)
    broken_lines = models.PositiveIntegerField(default=0, help_text="lines that could not be read, and were skipped")
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.name}@{self.offset}"
