"""Alerts to an organisation."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from tenants.models import TenantModel, User


class Alert(TenantModel):
    """Something that people should know. `key` says what it is of, so that nothing is told twice.

    `title` and `text` are for people, `data` is what webhooks were sent. `mailed_at` is null until every owner was
    told by e-mail; after a day nobody is.
    """

    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=200)
    title = models.CharField(max_length=200)
    text = models.TextField()
    data = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    mailed_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    note = models.CharField(max_length=300, blank=True)
    snoozed_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (models.UniqueConstraint(fields=("tenant", "key"), name="alert_once"),)
        indexes = (
            models.Index(fields=("created_at",), name="alert_to_mail", condition=models.Q(mailed_at=None)),
            models.Index(fields=("tenant", "-created_at"), name="alert_newest"),
        )

    def __str__(self) -> str:
        return self.title
