"""The audit trail."""

from django.db import models

from tenants.models.rows import TenantModel


class AuditEvent(TenantModel):
    """One thing that was done. `tenants.audit` adds rows; the database refuses to change or delete them."""

    # `at` stands in its place, and in the hash.
    created_at = None  # type: ignore[assignment]

    sequence = models.PositiveBigIntegerField(help_text="1, 2, 3, … in each tenant, without gaps")
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=40, blank=True)
    actor_name = models.CharField(max_length=320, blank=True)
    action = models.CharField(max_length=60)
    target_type = models.CharField(max_length=60)
    target_id = models.CharField(max_length=40)
    target_name = models.CharField(max_length=300)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ("-sequence",)
        constraints = (models.UniqueConstraint(fields=("tenant", "sequence"), name="audit_event_once"),)

    def __str__(self) -> str:
        return f"{self.action} {self.target_name}"


class AuditHead(TenantModel):
    """The last event of a tenant's audit trail. Its lock puts the tenant's writers in line."""

    sequence = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("tenant",), name="audit_head_once"),)

    def __str__(self) -> str:
        return f"{self.sequence}:{self.hash}"
