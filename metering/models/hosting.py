"""What endpoints cost, hour by hour."""

from decimal import Decimal

from django.db import models


class IdlePolicy(models.TextChoices):
    """Who bears what an endpoint costs while nothing is asked of it."""

    OPERATOR = "operator", "The operator"
    USE = "use", "Those who used it, by their use"
    EQUALLY = "equally", "All adapters that were on it, equally"


class Method(models.TextChoices):
    """How the use of an endpoint is measured."""

    STEPS = "steps", "Share of the engine’s own time"
    TOKENS = "tokens", "Share of weighted tokens, of the time in which requests were answered"


class EndpointHour(models.Model):
    """An hour (UTC) of an endpoint: how long it was there, what that cost, and how the cost was shared.

    `endpoint` is a name, not a key: costs outlive what they were for. Amounts are millionths of a US dollar;
    what was used by tenants, what they bear of the idle rest, and what the operator bears sum to `micros` exactly.
    """

    pk = models.CompositePrimaryKey("endpoint", "hour")
    endpoint = models.CharField(max_length=50)
    hour = models.DateTimeField()
    up_ms = models.BigIntegerField(default=0, help_text="how long it was there")
    instance_ms = models.BigIntegerField(default=0, help_text="the same, times its instances")
    measured_until = models.DateTimeField()
    price_per_hour = models.DecimalField(
        max_digits=16, decimal_places=6, null=True, help_text="of an instance; null: not known"
    )
    price_source = models.CharField(max_length=200, blank=True)
    micros = models.BigIntegerField(null=True, help_text="null: the price is not known")
    used_micros = models.BigIntegerField(default=0)
    idle_micros = models.BigIntegerField(default=0, help_text="borne by tenants")
    operator_micros = models.BigIntegerField(default=0)
    idle_policy = models.CharField(max_length=8, choices=IdlePolicy, blank=True)
    method = models.CharField(max_length=6, choices=Method, blank=True)
    allocated_at = models.DateTimeField(null=True, help_text="null: to be shared, or to be shared again")

    class Meta:
        ordering = ("-hour", "endpoint")
        indexes = (models.Index(fields=("hour",), name="endpoint_hour_due", condition=models.Q(allocated_at=None)),)

    def __str__(self) -> str:
        return f"{self.endpoint} {self.hour:%Y-%m-%d %H}h"

    @property
    def cost(self) -> Decimal | None:
        """In US dollars, None while its price is not known."""
        return None if self.micros is None else Decimal(self.micros) / 1_000_000
