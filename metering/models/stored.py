"""What organisations have in storage, hour by hour."""

from django.db import models

from tenants.models import TenantModel


class StorageHour(TenantModel):
    """What an organisation had in storage in an hour (UTC) of one kind, adapter and storage class.

    `adapter` is a name, empty for what belongs to none: costs outlive what they were for. The price stays as it was
    once it was known.
    """

    hour = models.DateTimeField()
    kind = models.CharField(max_length=40, help_text="the folder of the objects, such as datasets")
    adapter = models.CharField(max_length=80, blank=True)
    storage_class = models.CharField(max_length=40)
    bytes = models.BigIntegerField()
    price = models.DecimalField(
        max_digits=20, decimal_places=10, null=True, help_text="US dollars per GB-month; null: not known"
    )
    price_source = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-hour",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "hour", "kind", "adapter", "storage_class"), name="storage_hour_once"
            ),
        )
        indexes = (
            models.Index(
                fields=("hour", "storage_class"), name="storage_without_price", condition=models.Q(price=None)
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.hour:%Y-%m-%d %H}h"


class StorageListing(TenantModel):
    """How far an organisation's objects have been listed for an hour; only a finished one counts.

    `sums` are bytes by kind, adapter and storage class of the objects up to `after`.
    """

    hour = models.DateTimeField()
    after = models.CharField(max_length=1024, blank=True, help_text="key of the last object")
    sums = models.JSONField(default=list, help_text="[[kind, adapter, storage class, bytes]]")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-hour",)
        constraints = (models.UniqueConstraint(fields=("tenant", "hour"), name="storage_listing_once"),)

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h"
