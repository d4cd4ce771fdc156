"""What a cloud's bill says of endpoints and jobs, to compare with what the site counted. Of the site, in no tenant."""

import uuid
from decimal import Decimal

from django.db import models

from tenants.models import User


class BillLayout(models.TextChoices):
    """What a file of a bill is."""

    CUR = "cur", "AWS Cost and Usage Report"
    FOCUS = "focus", "FOCUS export"


class BillSubject(models.TextChoices):
    """What a line of a bill is for."""

    ENDPOINT = "endpoint", "Endpoint"
    JOB = "job", "Job"
    OTHER = "other", "Not this site’s"


class BillImport(models.Model):
    """One import: who, when, from what. The rows stay when their lines are replaced by a later import."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    imported_at = models.DateTimeField()
    imported_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", help_text="null: the command line"
    )
    file_names = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64, help_text="of all files, in their order")
    layout = models.CharField(max_length=8, choices=BillLayout)
    periods = models.CharField(max_length=300, help_text="account and month of each bill that it replaced")
    rows_read = models.BigIntegerField()
    rows_kept = models.BigIntegerField()

    class Meta:
        ordering = ("-imported_at",)

    def __str__(self) -> str:
        return self.file_names


class BillLine(models.Model):
    """What a bill says of one thing in an hour or a day, lines of the same kind added up.

    `subject_name` is the name of an endpoint or the id of a job, as the site knows them. Costs are in `currency`:
    `listed_cost` without commitments, `net_cost` after every discount.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    bill_import = models.ForeignKey(BillImport, models.CASCADE, related_name="lines")
    account = models.CharField(max_length=20)
    month = models.DateTimeField(help_text="the first of the bill's month")
    start = models.DateTimeField()
    end = models.DateTimeField()
    subject = models.CharField(max_length=8, choices=BillSubject)
    subject_name = models.CharField(max_length=63, blank=True)
    resource = models.CharField(max_length=300, blank=True)
    usage_type = models.CharField(max_length=120, blank=True)
    line_type = models.CharField(max_length=40, blank=True)
    region = models.CharField(max_length=40, blank=True)
    unit = models.CharField(max_length=40, blank=True)
    currency = models.CharField(max_length=3)
    quantity = models.DecimalField(max_digits=26, decimal_places=10, default=Decimal(0))
    listed_cost = models.DecimalField(max_digits=26, decimal_places=10, default=Decimal(0))
    net_cost = models.DecimalField(max_digits=26, decimal_places=10, default=Decimal(0))

    class Meta:
        ordering = ("start", "subject", "subject_name")
        indexes = (models.Index(fields=("month", "account"), name="bill_line_of_month"),)

    def __str__(self) -> str:
        return f"{self.resource or self.usage_type} {self.start:%Y-%m-%d %H}h"
