"""The price book: prices, discounts and exchange rates, each with the time it holds for and when it was recorded.

Of the site, in no tenant. Rows are never changed or deleted, except that `ended_at` is set once: the database refuses
everything else.
"""

import uuid

from django.db import models
from django.db.models import F, Q

from tenants.models import User


class Service(models.TextChoices):
    """What is paid for. Training is every run on COMPUTE, also that of an evaluation."""

    HOSTING = "hosting", "Hosting"
    TRAINING = "training", "Training"
    STORAGE = "storage", "Storage"
    JUDGE_INPUT = "judge_input", "Judge input tokens"
    JUDGE_OUTPUT = "judge_output", "Judge output tokens"


class Unit(models.TextChoices):
    HOUR = "hour", "hour"
    GB_MONTH = "gb_month", "GB-month"
    MILLION_TOKENS = "million_tokens", "million tokens"


UNITS = {
    Service.HOSTING: Unit.HOUR,
    Service.TRAINING: Unit.HOUR,
    Service.STORAGE: Unit.GB_MONTH,
    Service.JUDGE_INPUT: Unit.MILLION_TOKENS,
    Service.JUDGE_OUTPUT: Unit.MILLION_TOKENS,
}


class PriceSource(models.TextChoices):
    """Where a row is from. The prices of the site's settings are no rows."""

    HAND = "hand", "Set by hand"
    AWS = "aws", "AWS price list"


class Dated(models.Model):
    """Holds from `valid_from` up to `valid_until`, exclusive, or until it is ended before that."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    valid_from = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", help_text="null: the site, or its command line"
    )

    class Meta:
        abstract = True
        ordering = ("-recorded_at",)


class Price(Dated):
    """A price per unit. `item` is an instance type, an alias of the settings, or a storage class."""

    service = models.CharField(max_length=16, choices=Service.choices)
    item = models.CharField(max_length=80)
    region = models.CharField(max_length=40, blank=True, help_text="empty: of any region")
    unit = models.CharField(max_length=16, choices=Unit.choices)
    amount = models.DecimalField(max_digits=20, decimal_places=10)
    currency = models.CharField(max_length=3, help_text="ISO 4217")
    valid_until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="when it was ended before its time")
    source = models.CharField(max_length=8, choices=PriceSource.choices)
    note = models.CharField(max_length=300, blank=True)

    class Meta(Dated.Meta):
        indexes = (models.Index(fields=("service", "item", "recorded_at"), name="price_of_item"),)
        constraints = (
            models.CheckConstraint(condition=Q(amount__gte=0), name="price_not_negative"),
            models.CheckConstraint(condition=Q(valid_until__gt=F("valid_from")), name="price_has_a_length"),
        )

    def __str__(self) -> str:
        return f"{self.item}: {self.amount.normalize():f} {self.currency} per {self.get_unit_display()}"


class Discount(Dated):
    """A share off the prices of a service, or of one item of it."""

    service = models.CharField(max_length=16, choices=Service.choices)
    item = models.CharField(max_length=80, blank=True, help_text="empty: every item")
    percent = models.DecimalField(max_digits=5, decimal_places=2)
    valid_until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=80)

    class Meta(Dated.Meta):
        constraints = (
            models.CheckConstraint(condition=Q(percent__gt=0, percent__lte=100), name="discount_is_a_share"),
            models.CheckConstraint(condition=Q(valid_until__gt=F("valid_from")), name="discount_has_a_length"),
        )

    def __str__(self) -> str:
        return f"{self.percent.normalize():f}% off {self.item or self.get_service_display()}"


class ExchangeRate(Dated):
    """How much of `into` one unit of `currency` is worth, from `valid_from` until a later rate."""

    currency = models.CharField(max_length=3)
    into = models.CharField(max_length=3)
    rate = models.DecimalField(max_digits=20, decimal_places=10)
    note = models.CharField(max_length=300, blank=True)

    class Meta(Dated.Meta):
        constraints = (
            models.CheckConstraint(condition=Q(rate__gt=0), name="rate_is_positive"),
            models.CheckConstraint(condition=~Q(currency=F("into")), name="rate_between_two_currencies"),
        )

    def __str__(self) -> str:
        return f"1 {self.currency} = {self.rate.normalize():f} {self.into}"
